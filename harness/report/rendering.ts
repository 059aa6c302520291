import type { Report } from '../model/result.ts'

/** What a report in some format is made of. */
export interface Rendering {
  /** One for each subject of the run. */
  readonly reports: readonly Report[]
  /** The worst of them. */
  readonly exit: Report['exit']
  /** The file that findings are shown at, relative to the folder of the run: of --source, else the configuration. */
  readonly source?: string
}

/** Makes the text of a file; it reads nothing and writes nothing. */
export type Renderer = (rendering: Rendering) => string
