import type { MovableClock } from '../clock/clock.ts'
import type { Client } from '../client/client.ts'
import type { Issuer } from '../issuer/server.ts'
import type { KeyStore } from '../issuer/keys.ts'
import type { ProcessState, Refusal } from '../model/bench.ts'
import type { OriginCapability } from '../model/capabilities.ts'
import type { Answer, Probe } from '../model/http.ts'
import type { JsonObject } from '../model/json.ts'
import type { ResolvedProfile } from '../model/profile.ts'
import type { Keys, SigningKey, Token } from '../model/token.ts'
import { exchange, placeOf } from './exchange.ts'
import type { Hidden } from './mask.ts'
import type { Random } from './random.ts'

/** What all cases of a run share. */
export interface Session {
  readonly profile: ResolvedProfile
  /** What the user gave and no report may hold; a token that is asked for later is added. */
  readonly hidden: readonly Hidden[]
  /** The origin's clock, where it can be moved. */
  readonly clock?: MovableClock
  /** Starts the origin again, where the harness can. */
  readonly restart?: () => Promise<void>
  /** The process of the origin, where the harness started it. */
  readonly process?: () => ProcessState
  readonly client: Client
  readonly issuer: Issuer
  readonly keyStore: KeyStore
  readonly keys: Keys
  /** Whether the origin trusts the keys, so that an unchanged token must be accepted. */
  readonly trusted: boolean
  /** The token that the user gave: the control where the origin does not trust the keys of the run. */
  readonly userToken?: () => Promise<Token>
  /** Header and claims of a token by the clock of the origin. */
  readonly base: (key: SigningKey, random: Random) => { readonly header: JsonObject; readonly claims: JsonObject }
  readonly nowSec: () => number
  readonly capabilities: ReadonlySet<OriginCapability>
  /** Roles of published keys whose control was accepted in the pre-flight. */
  readonly provenRoles: ReadonlySet<string>
  readonly refusals: Refusal[]
  readonly acceptances: Map<string, Answer>
  readonly seed: number
  /** How many spare keys were taken, so that one case does not begin with the keys of the last. */
  readonly spares: { taken: number }
  /** Whether a route lets requests without a token in: known once it was asked. */
  readonly open: Map<string, Promise<boolean>>
}

/** Whether the operation answers a request without a token as if it were authorised: then acceptance proves nothing. */
export async function letsAnyoneIn(session: Session, probe: Probe): Promise<boolean> {
  const { route, method } = placeOf(probe, session.profile)
  const key = `${method} ${route.path}`
  let known = session.open.get(key)
  if (known === undefined) {
    known = exchange(session.client, { route, method }, session.profile).then(
      ({ answer }) => answer.outcome === 'accepted',
    )
    session.open.set(key, known)
  }
  return await known
}
