import type { OriginBench } from './bench.ts'
import type { OriginCapability } from './capabilities.ts'
import type { ChainBench } from './chain-bench.ts'
import type { ChainCapability } from './chain-capabilities.ts'
import type { ClauseId } from './clauses.ts'
import type { GatewayBench } from './gateway-bench.ts'
import type { GatewayCapability } from './gateway-capabilities.ts'
import type { Level } from './verdict.ts'

/** What can be under test. */
export type Subject = 'origin' | 'gateway' | 'chain'

/** Libraries for which a remedy can carry the exact fix. */
export type Library = 'jose' | 'PyJWT' | 'python-jose' | 'Spring Security' | 'golang-jwt' | 'jsonwebtoken'

/** What a case of each kind of subject asks for and is given. */
interface Subjects {
  origin: { capability: OriginCapability; bench: OriginBench }
  gateway: { capability: GatewayCapability; bench: GatewayBench }
  chain: { capability: ChainCapability; bench: ChainBench }
}

export interface ConformanceCase<S extends Subject = 'origin'> {
  /** Unique in its suite, kebab-case, never renamed. Reported as `suite/id`. */
  readonly id: string
  /** Completes the sentence "The origin …", "The gateway …" or "The chain …". */
  readonly title: string
  readonly level: Level
  /** The level falls to `to` where the capability `without` is missing. */
  readonly drops?: { readonly without: Subjects[S]['capability']; readonly to: Level }
  readonly clause: readonly [ClauseId, ...ClauseId[]]
  /** Without one of these the case is skipped, and the report names it. */
  readonly needs: readonly Subjects[S]['capability'][]
  /**
   * `together`: shares nothing, runs concurrently (default). `alone`: counts, measures time or moves the clock.
   * `last`: alone, after all others, about the whole run.
   */
  readonly runs?: 'together' | 'alone' | 'last'
  /** What goes wrong in production without it. */
  readonly rationale: string
  /** What the implementer changes to pass; starts with a verb. */
  readonly remedy: string
  /** The fix in code, where libraries differ. */
  readonly snippets?: Readonly<Partial<Record<Library, string>>>
  readonly run: (bench: Subjects[S]['bench']) => Promise<void>
}

export interface Suite<S extends Subject = 'origin'> {
  /** `origin/claims`: where the file is; the chain has one suite, `chain`. */
  readonly id: `${S}/${string}` | (S & 'chain')
  readonly title: string
  readonly cases: readonly ConformanceCase<S>[]
}

/** Types a suite by its id, so that a mistyped clause, level or capability does not compile. */
export function defineSuite<const S extends Subject>(suite: Suite<S>): Suite<S> {
  return suite
}
