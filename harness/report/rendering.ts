import type { Report } from '../model/result.ts'

/** What a report in some format is made of. */
export interface Rendering {
  /** One for each subject of the run. */
  readonly reports: readonly Report[]
  /** The worst of them. */
  readonly exit: Report['exit']
  /** True of a run without a target, whatever was selected of it: its JSON is a collection, even of one report. */
  readonly isCollection?: boolean
  /**
   * The file that findings are shown at, with slashes, relative to the root of the repository that the run is in, or
   * to the folder of the run where there is none: of --source, else the configuration.
   */
  readonly source?: string
}

/** Makes the text of a file; it reads nothing and writes nothing. */
export type Renderer = (rendering: Rendering) => string
