import type { Subject } from '../model/case.ts'
import type { Report } from '../model/result.ts'
import type { Progress } from '../report/progress.ts'
import type { GateOptions, Selection } from '../runner/options.ts'

/** What every part of a run is told alike. */
export interface Common extends GateOptions {
  readonly select: Selection
  readonly seed: number
  readonly deadlineMs: number
  /** Measures the behaviour profile as well. */
  readonly behaviour: boolean
}

/** Where a part tells what its user has to know while it runs. */
export interface Voice {
  readonly print: (text: string) => void
  readonly progress: Progress
}

/** A run against one subject, ready to begin. */
export interface Part {
  readonly subject: Subject
  /** What is tested and with what, for the first line. */
  readonly says: string
  readonly run: (voice: Voice, signal: AbortSignal) => Promise<Report>
}
