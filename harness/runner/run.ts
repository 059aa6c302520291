import { exchange } from '../bench/exchange.ts'
import { runCase } from '../bench/origin-bench.ts'
import { hiddenKeys, hiddenToken, maskOf } from '../bench/mask.ts'
import { createRandom } from '../bench/random.ts'
import type { Session } from '../bench/session.ts'
import { createClient } from '../client/client.ts'
import type { Client } from '../client/client.ts'
import { createMint } from '../issuer/mint.ts'
import { startIssuer } from '../issuer/server.ts'
import type { Issuer, IssuerNames } from '../issuer/server.ts'
import { startInterception } from '../intercept/intercept.ts'
import type { Interception } from '../intercept/intercept.ts'
import { startFront } from '../intercept/front.ts'
import type { Front } from '../intercept/front.ts'
import type { KeyStore } from '../issuer/keys.ts'
import { ORIGIN_CAPABILITIES } from '../model/capabilities.ts'
import { GATEWAYS } from '../model/gateways.ts'
import type { Answer } from '../model/http.ts'
import type { ResolvedProfile } from '../model/profile.ts'
import type { Report } from '../model/result.ts'
import { PUBLISHED_ALGORITHMS } from '../model/token.ts'
import type { Algorithm, KeyRole, Token } from '../model/token.ts'
import type { Reach, Target } from '../targets/target.ts'
import { measureAll } from './behaviour.ts'
import { Budget } from './budget.ts'
import { originCapabilities } from './capabilities.ts'
import { baseOf, controlOf, keysFor, readUserToken } from './credentials.ts'
import type { UserToken } from './credentials.ts'
import type { RunOptions } from './options.ts'
import { acceptedAlgorithms, clockOffset, preflight, reach } from './preflight.ts'
import type { Preflight } from './preflight.ts'
import { resolveProfile, TRIED_FIRST, withOperations } from './profile.ts'
import type { Known } from './profile.ts'
import { suitesIn } from './edition.ts'
import { flightOf, gateContext, reportOf } from './results.ts'
import type { Context } from './results.ts'
import { runAll } from './schedule.ts'
import type { Field } from './schedule.ts'
import { plan } from './select.ts'

/** Audience of control tokens where none is declared. */
const DEFAULT_AUDIENCE = 'https://orders.example.com'

/**
 * Tests one origin: issuer, target, pre-flight, cases, report. Throws a TrustspecError for what the user has to
 * mend first; whatever the origin does is a verdict.
 */
export async function runOrigin(options: RunOptions): Promise<Report> {
  const started = { at: new Date(), ms: performance.now() }
  const planned = plan(suitesIn(options.suites, options.edition), options.select)
  const budget = new Budget(options.budget)
  const { control, on, gateway = GATEWAYS[0] } = options
  const store = control.keys
  let plain = options.profile.plainJwks === true
  await using issuer = await startIssuer({
    keys: store,
    port: control.kind === 'issuer' ? control.port : 0,
    paths: gateway.paths,
    ...(options.reach ? { host: options.reach.listen, name: options.reach.name } : {}),
    jwks: () => store.published({ plain }),
  })
  const names = (control.kind === 'issuer' ? control.known : undefined) ?? issuer
  const isKnown = names !== issuer
  await using own = isKnown ? await options.intercept?.(issuer.answerFor(names), issuer.canary.url) : undefined
  await using interception = isKnown && !own ? await interceptFor(names, issuer, options.reach) : undefined
  on({ type: 'issuer', issuer: names.issuer, jwksUrl: names.jwksUrl })
  const audience = options.profile.audience ?? DEFAULT_AUDIENCE
  await using target = await options.start({
    issuer: names.issuer,
    jwksUrl: names.jwksUrl,
    audience,
    ...(interception ? { environment: interception.environment } : {}),
    ...(interception && 'folder' in interception ? { front: interception } : {}),
  })
  on({ type: 'target', url: target.url })
  const declared = withOperations(
    { ...gateway.profile, ...target.profile, ...options.profile },
    options.operations ?? [],
    new URL(target.url).pathname,
  )
  plain = declared.plainJwks === true
  const user = control.kind === 'token' ? readUserToken(await control.token(), control.jwks) : undefined
  const known: Known = {
    url: target.url,
    issuer: control.kind === 'none' ? 'https://issuer.example.com' : names.issuer,
    audience,
    ...(user ? { claims: user.claims } : {}),
    algorithms: user ? userAlgorithm(user) : control.kind === 'none' ? ['RS256'] : TRIED_FIRST,
  }
  const tried = resolveProfile(declared, known)
  await using client = createClient(new URL(target.url), options.deadlineMs, budget.take)
  const anonymous = await reach(client, tried, target.url)
  const offsetSec = clockOffset(anonymous, Date.now())
  let clock = target.clock
  const nowSec = (): number => (clock ? clock.nowMs() / 1000 : Date.now() / 1000 + (offsetSec ?? 0))
  const whyNotFetched = (): string | undefined =>
    (own ?? interception)?.connects() === 0 ? neverAsked(new URL(names.issuer).host, options) : undefined
  const parts = { options, store, issuer, target, client, nowSec, whyNotFetched, ...(user ? { user } : {}) }
  const found = await runPreflight(parts, tried, anonymous)
  // A clock that does not move the origin tells nothing of its time.
  clock = found.clock

  const measured = PUBLISHED_ALGORITHMS.filter((algorithm) => found.accepted.has(algorithm))
  const isMeasured = control.kind === 'issuer' && declared.algorithms === undefined && measured.length > 0
  const profile = resolveProfile(declared, isMeasured ? { ...known, algorithms: inTrialOrder(measured) } : known)
  const session = sessionOf(parts, profile, found)
  const context: Context = {
    origin: new URL(target.url).origin,
    capabilities: session.capabilities,
    says: ORIGIN_CAPABILITIES,
    ...gateContext(options, target.expected, started.at),
    noKey: 'control',
  }
  const hide = maskOf(session.hidden)
  const cause = found.cause === undefined ? undefined : hide(found.cause)
  const field: Field<'origin'> = {
    controlCase: 'origin/signature/control-valid',
    run: (item, attempt) => runCase(session, item.suite.id, item.subject, attempt),
    isAlive: async () => (await exchange(client, {}, profile)).answer.failure === undefined,
    ...(target.restart ? { restart: target.restart } : {}),
  }
  budget.begin()
  const cases = await runAll(planned, field, context, cause, { ...options, budget })
  const measurements = cause === undefined ? (options.measurements ?? []) : []
  const behaviour = await measureAll(session, measurements, { ...options, budget })
  const checks = found.checks.map((check) => ({ ...check, detail: hide(check.detail) }))
  const algorithms = control.kind === 'issuer' ? acceptedAlgorithms(tried.algorithms as readonly KeyRole[], found) : []
  return reportOf(
    {
      subject: 'origin',
      target,
      started,
      seed: options.seed,
      budget,
      expectations: context,
      preflight: flightOf({ checks, ...(cause === undefined ? {} : { cause }) }, offsetSec, algorithms),
      capabilities: session.capabilities,
      cases,
      behaviour,
    },
    options,
  )
}

interface Parts {
  readonly options: RunOptions
  readonly store: KeyStore
  readonly issuer: Issuer
  readonly target: Target
  readonly client: Client
  readonly nowSec: () => number
  readonly whyNotFetched: () => string | undefined
  readonly user?: UserToken
}

/** Answers for the host of URLs that an origin has hard-coded: at a name of the target's network, or by a proxy. */
async function interceptFor(
  names: IssuerNames,
  issuer: Issuer,
  reach: Reach | undefined,
): Promise<Interception | Front> {
  const all = [names.issuer, names.jwksUrl].map((url) => new URL(url).hostname)
  const hosts = [...new Set(all)]
  const handle = issuer.answerFor(names)
  return reach ? await startFront({ hosts, handle, listen: reach.listen }) : await startInterception({ hosts, handle })
}

function neverAsked(host: string, { reach, intercept }: RunOptions): string {
  if (intercept) return `no request of the origin to ${host} was intercepted`
  return reach
    ? `the origin never connected to ${host}, which is a name of the run in its network`
    : `the origin never asked the proxy of the run for ${host}: its HTTP client ignores HTTPS_PROXY`
}

async function runPreflight(parts: Parts, profile: ResolvedProfile, anonymous: Answer): Promise<Preflight> {
  const { options, store, issuer, target, client, nowSec, user, whyNotFetched } = parts
  const { keys, base } = credentialsOf(parts, profile)
  const random = createRandom(options.seed, 'pre-flight')
  const mint = createMint({
    keys: store,
    main: keys.main,
    base: (key) => base(key, random),
    trusted: true,
    padding: profile.padding === true,
  })
  const isUsed = (letter: RegExp): boolean => profile.algorithms.some((algorithm) => letter.test(algorithm))
  const extra: readonly KeyRole[] =
    profile.plainJwks === true
      ? []
      : [...(isUsed(/^[RP]S/u) ? ['no-alg-rsa' as const] : []), ...(isUsed(/^ES/u) ? ['no-alg-ec' as const] : [])]
  const roles: readonly KeyRole[] = user ? [keys.main.role] : [...(profile.algorithms as readonly KeyRole[]), ...extra]
  const means = {
    client,
    issuer,
    target,
    profile,
    roles,
    nowSec,
    whyNotFetched,
    mintUntil: (exp: number) => mint({ exp }),
    onCheck: (check: Report['preflight']['checks'][number]) => {
      options.on({ type: 'check', check })
    },
  }
  if (user) return await preflight({ ...means, control: () => controlOf(user, keys.main.role) }, anonymous)
  if (options.control.kind === 'none') return await preflight(means, anonymous)
  return await preflight({ ...means, control: (role) => mint({}, { key: store.get(role) }) }, anonymous)
}

function credentialsOf({ store, nowSec, user }: Parts, profile: ResolvedProfile) {
  const runId = Date.now().toString(36)
  return { keys: keysFor(store, profile.algorithms[0], user), base: baseOf(profile, nowSec, runId, user) }
}

function sessionOf(parts: Parts, profile: ResolvedProfile, found: Preflight): Session {
  const { options, store, issuer, target, client, nowSec, user } = parts
  const { control } = options
  const { keys, base } = credentialsOf(parts, profile)
  const { deaths } = target
  const hidden = [...(user ? hiddenToken(user.compact) : []), ...hiddenKeys(profile.apiKey ? [profile.apiKey.key] : [])]
  const asked = (token: UserToken): void => {
    hidden.push(...hiddenToken(token.compact))
  }
  return {
    profile,
    hidden,
    ...(found.clock ? { clock: found.clock } : {}),
    ...(target.restart ? { restart: target.restart } : {}),
    ...(deaths ? { process: () => ({ residentOctets: target.residentOctets?.(), deaths: deaths() }) } : {}),
    client,
    issuer,
    keyStore: store,
    keys,
    trusted: control.kind === 'issuer',
    ...(user && control.kind === 'token'
      ? { userToken: userTokens(user, control.token, keys.main.role, nowSec, asked) }
      : {}),
    base,
    nowSec,
    capabilities: originCapabilities(profile, {
      control: control.kind,
      fetched: found.fetched,
      publicKey: user?.jwk !== undefined,
      movableClock: found.clock !== undefined,
      restart: target.restart !== undefined,
      process: deaths !== undefined,
      writes: options.writes === true,
    }),
    provenRoles: found.accepted,
    refusals: [],
    acceptances: new Map(),
    seed: options.seed,
    spares: { taken: 0 },
    open: new Map(),
  }
}

/** The user's token, asked for again when the last one is about to expire. */
function userTokens(
  first: UserToken,
  ask: () => Promise<string>,
  role: KeyRole,
  nowSec: () => number,
  asked: (token: UserToken) => void,
): () => Promise<Token> {
  let held = first
  return async () => {
    const { exp } = held.claims
    if (typeof exp === 'number' && exp - nowSec() < 5) {
      held = readUserToken(await ask())
      asked(held)
    }
    return controlOf(held, role)
  }
}

function userAlgorithm({ header }: UserToken): readonly Algorithm[] {
  const algorithm = PUBLISHED_ALGORITHMS.find((name) => name === header['alg'])
  return [algorithm ?? 'RS256']
}

function inTrialOrder(algorithms: readonly Algorithm[]): readonly Algorithm[] {
  return TRIED_FIRST.filter((algorithm) => algorithms.includes(algorithm))
}
