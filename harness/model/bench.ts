import type { OriginCapability } from './capabilities.ts'
import type { Answer, Connection, Probe } from './http.ts'
import type { JwksBench } from './jwks.ts'
import type { JweOptions, Keys, Mint, SigningKey, Token } from './token.ts'
import type { ResolvedProfile } from './profile.ts'
import type { Failure } from './verdict.ts'

/** A refusal of the run, kept so that cases about all of them can look. */
export interface Refusal {
  /** Full id of the case that caused it. */
  readonly caseId: string
  readonly stimulus: string
  readonly probe: Probe
  readonly answer: Answer
}

/** The process of the origin since the run started it. */
export interface ProcessState {
  /** Octets of resident memory; undefined where they cannot be read. */
  readonly residentOctets: number | undefined
  /** How it ended when nobody had asked it to, one entry each. */
  readonly deaths: readonly string[]
}

/** A listener of the harness that no origin has a reason to call. */
export interface Canary {
  /** URL under which hits are attributed to this case and `name`; serves the attacker's JWKS and discovery. */
  readonly url: (name: string) => string
  /** Requests that arrived below any URL of this case: method and path, in order of arrival. */
  readonly hits: () => readonly string[]
}

/** A requirement on what came back, in the words of the report. */
export interface Judgement {
  readonly stimulus: string
  readonly expected: string
  /** What was seen; never put a credential here. */
  readonly observed: string
  /** How the requirement was broken, where it was not merely answered otherwise. */
  readonly failure?: Failure
}

/**
 * What an origin case is given. Steps do not throw when the origin misbehaves: they are summed up at the end, so
 * that one case reports every stimulus that failed. Await each of them; a step that is not awaited makes the case
 * inconclusive.
 */
export interface OriginBench {
  /** Seconds since the epoch by the clock of the origin, when the case started or time last passed. */
  readonly now: () => number
  readonly profile: ResolvedProfile
  readonly keys: Keys
  readonly mint: Mint
  /** A JWE in compact form. */
  readonly encrypt: (plaintext: string | Uint8Array, options: JweOptions) => Token
  /** A self-signed X.509 certificate of the key, DER. */
  readonly certificate: (key: SigningKey) => Uint8Array
  /**
   * A token that the origin must accept: freshly minted, or the one that the user gave. The starting point of
   * cases that alter a token's octets and need no key.
   */
  readonly control: () => Token

  /** Must be accepted. Refused: fail-closed, provided that a control is accepted; otherwise inconclusive. */
  readonly accepts: (what: Token | Probe, stimulus: string) => Promise<Answer>
  /**
   * Must be refused with 400, 401 or 403. The bench proves the shape (route, method, key, kind of connection) with
   * a control before the first refusal and after the last one; without them the refusal is inconclusive.
   * `never` is text that must not occur in the answer, such as a forged subject.
   */
  readonly refuses: (what: Token | Probe, stimulus: string, never?: string) => Promise<Answer>
  /** Accepted or answered with any 4xx, but never 5xx, reset, or silence. Proven like a refusal. */
  readonly survives: (what: Token | Probe, stimulus: string) => Promise<Answer>
  /** Sent and recorded, judged by `judge` alone. */
  readonly observes: (what: Token | Probe, stimulus: string) => Promise<Answer>
  /** Fails the case with what was observed, unless it holds. */
  readonly judge: (holds: boolean, judgement: Judgement) => void
  /** Makes the case inconclusive unless it holds: for what must be true or the case proves nothing. */
  readonly guard: (holds: boolean, otherwise: string) => void
  /** Puts a measured value into the report; no verdict. */
  readonly records: (name: string, value: string | number | boolean) => void

  /** Whether the capability is there; if not, the stimulus is listed as not proven. */
  readonly can: (capability: OriginCapability, stimulus: string) => boolean
  /** Lists a stimulus as not proven, with what would prove it. */
  readonly notProven: (stimulus: string, reason: string, unlock: string) => void
  /** Opens a connection of its own; `await using`. */
  readonly connect: () => Promise<Connection>
  /**
   * Lets time pass at the origin: its clock is moved, which is proven by Date or by a token that dies meanwhile, or
   * at most three seconds are waited.
   */
  readonly elapse: (seconds: number) => Promise<void>
  readonly jwks: JwksBench
  /** Published keys whose token was accepted in the pre-flight, the main one first. */
  readonly proven: readonly SigningKey[]
  /** What is known of the process of the origin; undefined where the run did not start it. */
  readonly process: () => ProcessState | undefined
  readonly canary: Canary
  /** Request targets of the JWKS fetches seen since the case started. */
  readonly jwksFetches: () => readonly string[]
  /** Every refusal of the run so far: for cases that run last. */
  readonly refusals: () => readonly Refusal[]
  /** Accepted answers of the run so far, one per route. */
  readonly acceptances: () => readonly Answer[]
  /** A string that occurs nowhere else in the run; from the seed. */
  readonly nonce: () => string
  /** `length` octets from the seed. */
  readonly random: (length: number) => Uint8Array
}
