import type { MeasuredProperty } from './behaviour.ts'
import type { Subject } from './case.ts'
import type { HeaderLines } from './http.ts'
import type { Algorithm } from './token.ts'
import type { ExitCode, Failure, Level, Verdict } from './verdict.ts'

/** Version of the result model; it rises when a member is removed or changes its meaning. */
export const REPORT_VERSION = 1

/** One exchange as evidence. Credentials that the user gave stand as `$TOKEN`; only minted ones are shown. */
export interface Evidence {
  readonly method: string
  readonly url: string
  readonly requestHeaders: HeaderLines
  /** 0 when no answer arrived. */
  readonly status: number
  readonly responseHeaders: HeaderLines
  /** Body of the answer, cut at 500 characters. */
  readonly responseBody: string
  /** What went wrong below HTTP, such as `timeout`. */
  readonly failure?: string
  /** A command that sends the request again; missing where the octets cannot be written in a shell. */
  readonly curl?: string
}

/** One stimulus that was not answered as required. */
export interface Finding {
  readonly stimulus: string
  readonly expected: string
  readonly observed: string
  readonly failure: Failure
  readonly evidence?: Evidence
  /** True where an expected finding names the stimulus, while others of the case are new. */
  readonly known?: true
}

/** A stimulus that was not sent, or proves nothing, and what would change that. */
export interface NotProven {
  readonly stimulus: string
  readonly reason: string
  /** The flag or the profile member that unlocks it. */
  readonly unlock?: string
}

/** A requirement that is known to be broken: the run stays green while it is broken in just this way. */
export interface ExpectedFinding {
  /** Full id of the case. */
  readonly case: string
  readonly verdict: Verdict
  readonly reason: string
  /** True when it does not fail the run: accepted, and not expired. */
  readonly accepted: boolean
  /** Stimuli that are known, each by its name: another one is a new finding. Missing: whichever. */
  readonly stimuli?: readonly string[]
  /** URL of where it is worked on. */
  readonly issue?: string
  /** Last day on which it is accepted, `2026-12-31`, UTC. */
  readonly expires?: string
}

/** What happened beside the stimuli of a case: fetches of the JWKS, moves of the clock, changes of the keys, faults. */
export interface TimelineEntry {
  /** Milliseconds since the case began, by the clock of the harness. */
  readonly atMs: number
  readonly kind: 'fetch' | 'clock' | 'keys' | 'fault' | 'restart'
  /** A sentence or a phrase, without keys and tokens. */
  readonly says: string
}

export interface CaseResult {
  /** Full id, `origin/claims/iss-wrong`. */
  readonly id: string
  /** `origin/claims`. */
  readonly suite: string
  readonly title: string
  /** Level that was applied: that of the edition, a dropped one already dropped. */
  readonly level: Level
  readonly clause: readonly { readonly id: string; readonly title: string; readonly url: string }[]
  readonly verdict: Verdict
  /** For `warn`: how the SHOULD was broken. */
  readonly nature?: Failure
  /** Why it was skipped, is inconclusive, or was left before its end: one sentence. */
  readonly reason?: string
  /** For `skip`: what was missing. */
  readonly missing: readonly { readonly capability: string; readonly says: string; readonly unlock: string }[]
  readonly findings: readonly Finding[]
  readonly notProven: readonly NotProven[]
  /** Stimuli that were sent and judged. */
  readonly stimuli: number
  /** Measured values; no verdict. */
  readonly measured: Readonly<Record<string, string | number | boolean>>
  readonly rationale: string
  readonly remedy: string
  readonly snippets: Readonly<Record<string, string>>
  readonly durationMs: number
  /** In order of time; missing where nothing of the kind happened. */
  readonly timeline?: readonly TimelineEntry[]
  /** The edition from which on it counts, where that is later than the edition of the run: it cannot fail the run. */
  readonly upcoming?: string
  /** The expected finding that this result matches. */
  readonly known?: ExpectedFinding
}

/** One step of the pre-flight. */
export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

/** What a run found out: every report is a view of it. */
export interface Report {
  readonly version: typeof REPORT_VERSION
  readonly tool: { readonly name: 'trustspec'; readonly version: string }
  readonly subject: Subject
  readonly target: { readonly kind: string; readonly url: string; readonly name?: string }
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly durationMs: number
  readonly seed: number
  /** Name of the edition of the requirements that counted; missing where the levels of the catalogue did. */
  readonly edition?: string
  /** Requests that were sent to the implementation under test, the fetches of its documents among them. */
  readonly requests: number
  readonly preflight: {
    readonly checks: readonly Check[]
    /** The one cause that makes the cases inconclusive, where there is one. */
    readonly cause?: string
    /** Clock of the target minus clock of the harness, seconds; absent when it sends no Date. */
    readonly clockOffsetSec?: number
    readonly algorithms: readonly { readonly algorithm: Algorithm; readonly accepted: boolean }[]
  }
  /** Names of what was there for cases to use. */
  readonly capabilities: readonly string[]
  readonly cases: readonly CaseResult[]
  /** What was measured, whatever is declared; empty where only some cases were selected. */
  readonly behaviour: readonly MeasuredProperty[]
  /** Cases by verdict; every verdict is there. */
  readonly summary: Readonly<Record<Verdict, number>>
  /** What stayed locked: the flag, and the cases and stimuli that it would unlock. */
  readonly notProven: readonly { readonly unlock: string; readonly says: string; readonly cases: readonly string[] }[]
  /** Accepted findings that did not show, or the stimuli of one that did not: they must be struck from the list. */
  readonly stale: readonly ExpectedFinding[]
  /** Accepted findings that still show after the day until which they were accepted; missing where there are none. */
  readonly expired?: readonly ExpectedFinding[]
  readonly exit: { readonly code: ExitCode; readonly meaning: string }
}

/** What a run over several subjects found out. */
export interface ReportCollection {
  readonly version: typeof REPORT_VERSION
  /** One for each subject of which something was selected, in order. */
  readonly reports: readonly Report[]
  /** The worst of them. */
  readonly exit: Report['exit']
}
