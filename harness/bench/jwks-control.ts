import { setTimeout as wait } from 'node:timers/promises'
import { Inconclusive, TrustspecError } from '../model/errors.ts'
import type { JsonObject } from '../model/json.ts'
import type { Fetch, IssuerResponse, JwksBench } from '../model/jwks.ts'
import type { SigningKey, SpareRole } from '../model/token.ts'
import type { TimelineEntry } from '../model/result.ts'
import type { Scripted } from '../issuer/server.ts'
import { LONGEST_WAIT_SEC } from './passage.ts'
import type { Session } from './session.ts'
import { faultSays } from './timeline.ts'

/** Seconds that are added to a declared number, so that rounding on either side does not matter. */
const MARGIN_SEC = 1

/** The same for a real wait, which is shorter and precise. */
const MARGIN_MS = 100

/** Characters of a kid that the timeline tells. */
const LONGEST_KID = 60

const SERVED_MS = 1_000
const POLL_MS = 5

/** What the control of the JWKS needs of the case that has it. */
interface Means {
  readonly session: Session
  readonly nonce: () => string
  readonly elapse: (seconds: number) => Promise<void>
  /** Whether a control is accepted now. */
  readonly isAccepted: () => Promise<boolean>
  readonly notes: (name: string, value: string) => void
  /** Tells what is changed, for the timeline. */
  readonly happened: (kind: TimelineEntry['kind'], says: string) => void
}

/** The JWKS in the hands of one case, with what undoes its changes. */
export class JwksControl {
  readonly #means: Means
  #mark: number
  #script: Scripted | undefined
  #touched = false
  /** Whether the origin may hold a set that lacks an ordinary key. */
  #isReduced = false
  #published: readonly JsonObject[] = []

  constructor(means: Means) {
    this.#means = means
    this.#mark = means.session.issuer.journal.entries.length
  }

  get bench(): JwksBench {
    const { issuer } = this.#means.session
    return {
      publish: (...keys) => {
        this.#touched = true
        this.#published = keys.map(({ jwk }) => jwk)
        const kids = keys.map(({ kid }) => kid.slice(0, LONGEST_KID)).join(', ')
        this.#means.happened(
          'keys',
          kids === '' ? 'the added keys are no longer published' : `published beside the others: ${kids}`,
        )
        issuer.publish(this.#published)
      },
      withdraw: ({ kid }) => {
        this.#touched = true
        this.#isReduced = true
        this.#means.happened('keys', `no longer published: ${kid}`)
        issuer.publish(this.#published, [kid])
      },
      keys: (...extra) => [...issuer.published(), ...extra],
      serve: (response, endpoint) => {
        this.#serve(response, endpoint)
      },
      served: () => this.#script?.served() ?? 0,
      untilServed: () => this.#untilServed(),
      mark: () => {
        this.#mark = issuer.journal.entries.length
      },
      fetches: () => this.#fetches(),
      all: () => issuer.journal.entries,
      newKey: (options) => this.#newKey(options),
      cooldown: () => this.#pass(this.#means.session.profile.jwks.cooldownSec ?? 0),
      expire: () => this.#pass(this.#means.session.profile.jwks.maxAgeSec ?? 0),
      coldStart: () => this.#coldStart(),
      restart: () => this.#restart(),
      renew: () => this.#renew(),
      recover: () => this.#recover(),
    }
  }

  /** Ends every fault, and brings the origin back to accepting valid tokens by any means. */
  async undo(): Promise<void> {
    if (!this.#touched) return
    this.#serve(undefined)
    this.#means.session.issuer.publish([])
    if (this.#isReduced) await this.#renew()
    await this.#backToLife([() => this.#restart()])
  }

  #serve(response: IssuerResponse | undefined, endpoint: 'jwks' | 'discovery' = 'jwks'): void {
    this.#touched = true
    this.#script?.[Symbol.dispose]()
    this.#means.happened('fault', response ? faultSays(response, endpoint) : 'the issuer answers as usual again')
    this.#isReduced ||= response?.document !== undefined || response?.body !== undefined
    this.#script = response && this.#means.session.issuer.respond(endpoint, { sticky: true, ...response })
  }

  async #untilServed(): Promise<boolean> {
    const until = performance.now() + SERVED_MS
    while ((this.#script?.served() ?? 0) === 0) {
      if (performance.now() > until) return false
      await wait(POLL_MS)
    }
    return true
  }

  #fetches(): readonly Fetch[] {
    const { entries } = this.#means.session.issuer.journal
    return entries.slice(this.#mark).filter(({ endpoint }) => endpoint === 'jwks')
  }

  #newKey({ like, kid }: { readonly like?: SigningKey; readonly kid?: string } = {}): SigningKey {
    const { keyStore, keys, spares } = this.#means.session
    const model = like ?? keys.main
    const number = (spares.taken % 8) + 1
    spares.taken += 1
    const role: SpareRole = `spare-${typeOf(model)}-${number as 1}`
    const spare = keyStore.get(role)
    const name = kid ?? this.#means.nonce()
    return { ...spare, alg: model.alg, kid: name, jwk: { ...spare.jwk, kid: name, alg: model.alg } }
  }

  /** Lets the seconds pass since the last fetch: what passed already is not waited for again. */
  async #pass(seconds: number): Promise<void> {
    const { session, elapse, notes } = this.#means
    if (session.clock) {
      await elapse(seconds + MARGIN_SEC)
      return
    }
    const left = session.issuer.journal.endedAt() + seconds * 1000 + MARGIN_MS - Date.now()
    if (left <= 0) return
    notes('waited for, s', (left / 1000).toFixed(1))
    await elapse(Math.min(left / 1000, LONGEST_WAIT_SEC + MARGIN_MS / 1000))
  }

  async #coldStart(): Promise<void> {
    this.#touched = true
    const { profile, capabilities } = this.#means.session
    const { maxAgeSec, maxStaleSec = 0 } = profile.jwks
    if (maxAgeSec !== undefined && capabilities.has('jwks-max-age')) await this.#pass(maxAgeSec + maxStaleSec)
    else await this.#restart()
  }

  async #renew(): Promise<void> {
    this.#touched = true
    const { capabilities } = this.#means.session
    if (capabilities.has('cold-start')) await this.#coldStart()
    else await this.#pass(this.#means.session.profile.jwks.cooldownSec ?? 0)
  }

  async #restart(): Promise<void> {
    this.#touched = true
    const { restart, client } = this.#means.session
    if (!restart) return
    this.#means.happened('restart', 'the origin is started again')
    try {
      await restart()
    } catch (error) {
      if (error instanceof TrustspecError) {
        throw new Inconclusive('The origin does not start while the JWKS is as this case has it.', { cause: error })
      }
      throw error
    }
    await client.renew()
  }

  async #recover(): Promise<boolean> {
    const { session, isAccepted } = this.#means
    this.#serve(undefined)
    await this.#backToLife([])
    return (await isAccepted()) || session.capabilities.has('jwks-cooldown') || session.capabilities.has('jwks-max-age')
  }

  /** Tries one means after the other until a control is accepted. */
  async #backToLife(more: readonly (() => Promise<void>)[]): Promise<void> {
    const { session, isAccepted } = this.#means
    const { cooldownSec, maxAgeSec = 0, maxStaleSec = 0 } = session.profile.jwks
    const canPass = (name: 'jwks-cooldown' | 'jwks-max-age'): boolean => session.capabilities.has(name)
    const means = [
      ...(canPass('jwks-cooldown') ? [() => this.#pass(cooldownSec ?? 0)] : []),
      ...(canPass('jwks-max-age') ? [() => this.#pass(maxAgeSec + maxStaleSec)] : []),
      ...more,
    ]
    for (const attempt of means) {
      if (await isAccepted()) return
      await attempt()
    }
  }
}

function typeOf({ kty, alg }: SigningKey): 'rsa' | 'p256' | 'p384' | 'p521' | 'ed' {
  if (kty === 'RSA') return 'rsa'
  if (kty === 'OKP') return 'ed'
  return alg === 'ES384' ? 'p384' : alg === 'ES512' ? 'p521' : 'p256'
}
