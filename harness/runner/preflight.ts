import { setTimeout as wait } from 'node:timers/promises'
import { exchange, seen } from '../bench/exchange.ts'
import { elapse } from '../bench/passage.ts'
import type { Client } from '../client/client.ts'
import type { MovableClock } from '../clock/clock.ts'
import type { Issuer } from '../issuer/server.ts'
import { Inconclusive, TrustspecError } from '../model/errors.ts'
import type { Answer } from '../model/http.ts'
import type { ResolvedProfile } from '../model/profile.ts'
import type { Check } from '../model/result.ts'
import type { Algorithm, KeyRole, Token } from '../model/token.ts'
import type { Target } from '../targets/target.ts'

/** What the pre-flight has to work with. */
export interface PreflightMeans {
  readonly client: Client
  readonly issuer: Issuer
  readonly target: Target
  readonly profile: ResolvedProfile
  /** A control signed by the key of that role; absent on the first rung. */
  readonly control?: (role: KeyRole) => Token
  /** Roles to try, the likeliest first; on the second rung the one that the user's token stands for. */
  readonly roles: readonly KeyRole[]
  readonly onCheck: (check: Check) => void
  readonly nowSec: () => number
  /** What keeps the origin from fetching the JWKS, where the run can tell. */
  readonly whyNotFetched: () => string | undefined
  /** A token that is valid until then. */
  readonly mintUntil: (exp: number) => Token
}

/** Seconds by which a clock is moved to see whether it moves. */
const PROOF_SEC = 10

/** The same for a hook, which a token has to prove: more than any leeway that nobody declares. */
const HOOK_PROOF_SEC = 600

/** Longest wait for the log to tell of an error, in milliseconds. */
const LOG_MS = 1_000

/** What the pre-flight found out. */
export interface Preflight {
  readonly checks: readonly Check[]
  readonly cause?: string
  readonly accepted: ReadonlySet<KeyRole>
  /** The clock of the origin, where it was proven that it moves. */
  readonly clock?: MovableClock
  readonly fetched: boolean
}

/** Difference of the clocks in whole seconds, from the Date header; 0 while the rounding of Date can explain it. */
export function clockOffset(answer: Answer, harnessMs: number): number | undefined {
  const date = Date.parse(answer.header('date')[0] ?? '')
  if (Number.isNaN(date)) return undefined
  const early = Math.ceil((date - harnessMs) / 1000)
  return early > 0 ? early : Math.min(0, Math.floor((date + 1000 - harnessMs) / 1000))
}

/** Asks without a credential whether anything answers; ERR_TARGET_UNREACHABLE when nothing listens. */
export async function reach(client: Client, profile: ResolvedProfile, url: string): Promise<Answer> {
  const { answer } = await exchange(client, {}, profile)
  if (answer.failure === 'unreachable') {
    throw new TrustspecError('ERR_TARGET_UNREACHABLE', 'Nothing answers at the URL under test', {
      url,
      instead: 'start the origin, or correct the host and the port',
    })
  }
  return answer
}

/** Establishes what every case rests on, or names the one cause for which none can be judged. */
export async function preflight(means: PreflightMeans, anonymous: Answer): Promise<Preflight> {
  const { client, profile, issuer, target, control, onCheck } = means
  const checks: Check[] = []
  const accepted = new Set<KeyRole>()
  const check = (name: string, ok: boolean, detail: string): void => {
    checks.push({ name, ok, detail })
    onCheck({ name, ok, detail })
  }
  const moving: { clock?: MovableClock } = {}
  const done = (cause?: string): Preflight => {
    const fetched = issuer.journal.entries.some(({ endpoint }) => endpoint === 'jwks')
    return { checks, accepted, fetched, ...moving, ...(cause === undefined ? {} : { cause }) }
  }

  check('answers', anonymous.failure === undefined, `a request without a token: ${seen(anonymous)}`)
  if (anonymous.failure) return done(`The origin does not answer a request without a token: ${seen(anonymous)}.`)
  if (profile.marker !== undefined && anonymous.status >= 300 && anonymous.body.includes(profile.marker)) {
    return done(
      `The marker ${JSON.stringify(profile.marker)} stands in a refusal too: declare a text that only an accepted answer contains.`,
    )
  }
  if (!control) return done()

  for (const role of means.roles) {
    const { answer } = await exchange(client, { token: control(role) }, profile)
    if (answer.outcome === 'accepted') accepted.add(role)
    const [main] = means.roles
    if (role === main || (profile.algorithmsDeclared && !role.startsWith('no-alg')))
      check(`accepts ${role}`, answer.outcome === 'accepted', seen(answer))
    // Without declarations the first algorithm may just not be the origin's: only a crash ends the search.
    if (
      role === main &&
      answer.outcome !== 'accepted' &&
      (profile.algorithmsDeclared || answer.outcome === 'crashed')
    ) {
      return done(await causeOf(answer, means))
    }
    if (role === main && answer.outcome === 'other') return done(await causeOf(answer, means))
  }
  if (accepted.size === 0) {
    const { answer } = await exchange(client, { token: control(means.roles[0] ?? 'RS256') }, profile)
    return done(await causeOf(answer, means))
  }
  const [role = 'RS256'] = accepted
  for (const route of profile.routes.filter(({ operation }) => operation === undefined)) {
    for (const method of route.methods) {
      const { answer } = await exchange(client, { token: control(role), route, method }, profile)
      const ok = answer.outcome === 'accepted'
      check(`${method} ${route.path}`, ok, seen(answer))
      if (!ok) return done(`A valid token is not accepted by ${method} ${route.path}: ${seen(answer)}.`)
    }
  }
  const { fetched } = done()
  if (!control(role).yours && (target.kind !== 'embedded' || !fetched)) {
    check(
      'fetched the JWKS',
      fetched,
      fetched ? issuer.jwksUrl : 'not during this run: cases that need a canary are skipped',
    )
  }
  const clock = await movingClock(means, check)
  if (clock) moving.clock = clock
  if (anonymous.outcome === 'accepted') {
    check('needs a token', false, 'a request that carries no token is accepted as well')
  }
  return done()
}

/** The clock of the target, if a small move of it shows at the origin. */
async function movingClock(
  { client, profile, target, nowSec, mintUntil }: PreflightMeans,
  check: (name: string, ok: boolean, detail: string) => void,
): Promise<MovableClock | undefined> {
  const { clock, noClock } = target
  if (noClock !== undefined) check('time can be moved', false, noClock)
  if (!clock) return undefined
  try {
    const seconds = clock.kind === 'hook' ? HOOK_PROOF_SEC : PROOF_SEC
    await elapse({ clock, client, profile, nowSec }, seconds, mintUntil, true)
  } catch (error) {
    if (!(error instanceof Inconclusive)) throw error
    const why =
      clock.kind === 'libfaketime'
        ? 'libfaketime does not move the clock of this origin, as is so with Go and statically linked programs'
        : error.message.replace(/\.$/u, '')
    check('time can be moved', false, `${why}: what takes more than 3 s is skipped, unless it declares smaller numbers`)
    return undefined
  }
  check('time can be moved', true, clock.kind)
  return clock
}

/** Why no case can be judged: what a valid token was answered with, and where to look. */
async function causeOf(
  answer: Answer,
  { issuer, target, profile, control, roles, whyNotFetched }: PreflightMeans,
): Promise<string> {
  const yours = control?.(roles[0] ?? 'RS256').yours === true
  const what = yours ? 'The given token' : 'A valid token'
  if (answer.outcome === 'other' && answer.status >= 200 && answer.status < 300) {
    return `${what} is answered with ${answer.status}, but without the marker ${JSON.stringify(profile.marker)}: correct "marker".`
  }
  if (answer.outcome === 'crashed') {
    const why = target.logTail && (await loggedError(target.logTail))
    return `${what} is answered with ${answer.failure ? seen(answer) : answer.status}${why === undefined ? '' : `; the origin logged: ${why}`}.`
  }
  if (yours) return `${what} is not accepted (${seen(answer)}): it may have expired, or belong to another origin.`
  const fetched = issuer.journal.entries.some(({ endpoint }) => endpoint === 'jwks')
  return (
    `${what} is not accepted (${seen(answer)}): ` +
    (fetched
      ? `the JWKS was fetched, so compare what the origin expects with iss ${profile.issuer}, aud ${profile.audience ?? '(none)'} and ${profile.algorithms.join(', ')}.`
      : `${whyNotFetched() ?? `the JWKS was never fetched from ${issuer.jwksUrl}: set the JWKS URL of the origin to it`}.`)
  )
}

/** The error that a log tells of; what a container writes comes a little behind its answers. */
async function loggedError(logTail: () => readonly string[]): Promise<string | undefined> {
  const until = performance.now() + LOG_MS
  for (;;) {
    const error = lastError(logTail())
    if (error !== undefined || performance.now() >= until) return error
    await wait(20)
  }
}

/** The line of a log that names the error: of a traceback the last, else the last one that says error. */
function lastError(lines: readonly string[]): string | undefined {
  const line = lines.findLast((text) => /^\s*(?:[\w.]*(?:Error|Exception)\b.*:|error\b)/iu.test(text))
  return line?.trim().slice(0, 200)
}

/** Algorithms whose control was accepted, in the order of the roles. */
export function acceptedAlgorithms(
  roles: readonly KeyRole[],
  { accepted }: Preflight,
): readonly { readonly algorithm: Algorithm; readonly accepted: boolean }[] {
  return roles.flatMap((role) => {
    const isAlgorithm = !role.startsWith('no-alg')
    return isAlgorithm ? [{ algorithm: role as Algorithm, accepted: accepted.has(role) }] : []
  })
}
