/** RFC 2119 keyword of the requirement. MAY: judged where it is declared. INFO is recorded and never judged. */
export type Level = 'MUST' | 'SHOULD' | 'MAY' | 'INFO'

/**
 * How a nonconforming answer went wrong. `fail-open` accepted what must be refused, `fail-crash` answered 5xx,
 * reset, hung or died where an answer was due, `fail-closed` refused what must be accepted, `fail` answered
 * otherwise than required.
 */
export type Failure = 'fail-open' | 'fail-crash' | 'fail-closed' | 'fail'

/** Outcome of one case. `warn` is a failed SHOULD; `inconclusive` means that a guard was not established. */
export type Verdict = 'pass' | Failure | 'warn' | 'skip' | 'inconclusive' | 'info'

/** The worst first: the order in which failures of one case are summed up. */
export const FAILURES = ['fail-open', 'fail-crash', 'fail-closed', 'fail'] as const satisfies readonly Failure[]

/** All verdicts, in the order of summaries. */
export const VERDICTS = [
  ...FAILURES,
  'inconclusive',
  'warn',
  'pass',
  'info',
  'skip',
] as const satisfies readonly Verdict[]

/** Verdicts that fail a run where nothing else is asked for; `inconclusive` counts for a MUST alone. */
export const FAILS_BY_DEFAULT = [...FAILURES, 'inconclusive'] as const satisfies readonly Verdict[]

/** Exit codes of the command line. */
export const EXIT = { conforms: 0, nonconformity: 1, usage: 2, harness: 3 } as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Narrows a verdict to the ones that say a requirement was broken. */
export function isFailure(verdict: Verdict): verdict is Failure {
  return (FAILURES as readonly Verdict[]).includes(verdict)
}
