import type { OriginBench } from '../../harness/model/bench.ts'
import { defineSuite } from '../../harness/model/case.ts'
import type { Answer } from '../../harness/model/http.ts'
import type { Route } from '../../harness/model/profile.ts'
import { H2C, handshake, identityHeaders, METHODS, pathVariants, rewritten, spoofed } from '../bypass/variants.ts'
import type { Bare } from '../bypass/variants.ts'
import { attackerOf } from '../jwks/means.ts'
import { otherSubject, refuseAll } from '../stimuli.ts'

/** Judges that an answer does not hold what only an accepted one holds. */
function notServed({ judge, profile }: OriginBench, stimulus: string, answer: Answer, served?: Answer): void {
  const isMarked = profile.marker !== undefined && answer.body.includes(profile.marker)
  const isSame = served !== undefined && isOk(answer) && answer.body !== '' && answer.body === served.body
  judge(answer.outcome !== 'accepted' && !isMarked && !isSame, {
    stimulus,
    expected: 'anything but the protected answer',
    observed: `status ${answer.status}, with the ${isSame ? 'body' : 'marker'} of an accepted answer`,
    failure: 'fail-open',
  })
}

async function noneServed(bench: OriginBench, stimuli: readonly Bare[], served?: Answer): Promise<void> {
  for (const [name, probe] of stimuli) notServed(bench, name, await bench.observes(probe, name), served)
}

function isOk({ status }: Answer): boolean {
  return status >= 200 && status < 300
}

/** Methods with which a valid token changes nothing (RFC 9110 section 9.2.1). */
const SAFE = ['GET', 'HEAD', 'OPTIONS', 'TRACE']

/**
 * Tries the guard of an operation of the OpenAPI document, of which nobody knows what it answers: without a token
 * it has to refuse, and with one it has to do something else. Returns its name where both answers are the same.
 */
async function unguarded(bench: OriginBench, route: Route, method: string): Promise<readonly string[]> {
  const { observes, judge, can, control, notProven } = bench
  const name = nameOf(route, method)
  const stimulus = `${name} without a token`
  const bare = await observes({ route, method, credentials: [] }, stimulus)
  judge(!isOk(bare), { stimulus, expected: 'refused', observed: `status ${bare.status}`, failure: 'fail-open' })
  judge(bare.outcome !== 'crashed', {
    stimulus,
    expected: 'refused',
    observed: bare.failure ?? `status ${bare.status}`,
    failure: 'fail-crash',
  })
  if (isOk(bare) || bare.outcome === 'crashed') return []
  if (!SAFE.includes(method) && !can('writes', `${name}: that a token makes a difference`)) return []
  if (!can('control', `${name}: that a token makes a difference`)) return []
  const { status } = await observes({ route, method, token: control() }, `${name} with a valid token`)
  if (status !== bare.status) return []
  if (bare.outcome !== 'refused') return [`${name} (${status})`]
  notProven(stimulus, 'a valid token is refused as well', 'a token that this operation accepts')
  return []
}

/** The number at a JSON pointer of one level or more; undefined where there is none. */
function numberAt(body: string, pointer: string): number | undefined {
  try {
    const found = pointer
      .split('/')
      .slice(1)
      .reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], JSON.parse(body))
    return typeof found === 'number' ? found : undefined
  } catch {
    return undefined
  }
}

function nameOf({ path, operation }: Route, method: string): string {
  return operation === undefined ? `${method} ${path}` : `${method} ${path} (${operation})`
}

/** Every route with every method that it declares. */
function operations({ profile }: OriginBench): readonly (readonly [route: Route, method: string])[] {
  return profile.routes.flatMap((route) => route.methods.map((method) => [route, method] as const))
}

export default defineSuite({
  id: 'origin/bypass',
  title: 'Direct-to-origin bypass and spoofed headers',
  cases: [
    {
      id: 'no-token',
      title: 'refuses every protected route without a token',
      level: 'MUST',
      clause: ['owasp/api2', 'cwe-306'],
      needs: [],
      rationale: 'One route that was added without the guard is open to whoever reaches the origin past the gateway.',
      remedy: 'Put the guard in front of the router, and list the routes that need none.',
      async run(bench) {
        const { refuses, guard } = bench
        const doubtful: string[] = []
        for (const [route, method] of operations(bench)) {
          if (route.operation !== undefined) doubtful.push(...(await unguarded(bench, route, method)))
          else await refuses({ route, method, credentials: [] }, `${nameOf(route, method)} without a token`)
        }
        guard(
          doubtful.length === 0,
          `The same status with a token and without one, so that there may be no guard: ${doubtful.join(', ')}.`,
        )
      },
    },
    {
      id: 'spoofed-headers',
      title: 'refuses requests that only say who they are and where they come from',
      level: 'MUST',
      clause: ['trust/token-only', 'cwe-290', 'cwe-348', 'cwe-807'],
      needs: [],
      rationale: 'Headers of the gateway can be typed by anyone who reaches the origin directly; the token cannot.',
      remedy: 'Take nothing from headers that say who is calling or from where: verify the token, always.',
      async run(bench) {
        await refuseAll(bench, spoofed(bench))
      },
    },
    {
      id: 'identity-from-token-only',
      title: 'takes the identity from the token, whatever other headers say',
      level: 'MUST',
      clause: ['trust/token-only', 'cwe-290'],
      needs: ['control', 'identity-echo'],
      rationale: 'A valid token for one consumer with a header that names another must not open the data of the other.',
      remedy: 'Read the subject from the verified claims, and drop identity headers.',
      async run({ accepts, control, profile, can, mint }) {
        const other = otherSubject({ profile })
        if (can('issuer', 'a valid token of the other subject')) {
          await accepts(mint({ sub: other }), 'valid token of the other subject, alone')
        }
        for (const [name, value] of identityHeaders(profile, other)) {
          await accepts(
            { token: control(), headers: [[name, value]] },
            `valid token, and ${name} that names another subject`,
          )
        }
        await accepts(
          { token: control(), headers: identityHeaders(profile, other) },
          'valid token, and all of these headers',
        )
      },
    },
    {
      id: 'client-key-not-accepted',
      title: 'refuses the API key of a caller',
      level: 'MUST',
      clause: ['trust/token-only'],
      needs: ['api-key'],
      rationale:
        'An origin that takes the key as well can be called past the gateway: no limits, no log, no revocation.',
      remedy: 'Know no API keys at the origin: the gateway token is the only credential.',
      async run({ refuses, profile: { apiKey, token } }) {
        if (!apiKey) return
        const { key, headers = [{ name: 'Authorization', scheme: 'Bearer' }], query = [] } = apiKey
        for (const { name, scheme } of headers) {
          const value = scheme === undefined ? key : `${scheme} ${key}`
          const where = `API key in ${name}${scheme === undefined ? '' : ` with ${scheme}`}`
          const isTokenHeader = name.toLowerCase() === token.header.toLowerCase()
          await refuses(isTokenHeader ? { credentials: [value] } : { credentials: [], headers: [[name, value]] }, where)
        }
        for (const name of query) {
          await refuses(
            { credentials: [], query: `${name}=${encodeURIComponent(key)}` },
            `API key in the query as ${name}`,
          )
        }
      },
    },
    {
      id: 'path-variants',
      title: 'does not serve a protected route under another spelling of its path',
      level: 'MUST',
      clause: ['cve-2021-29492', 'cwe-22', 'cwe-436', 'cwe-647'],
      needs: ['control', 'marker'],
      rationale:
        'A guard that matches the raw path and a router that tidies it up first disagree about what is protected.',
      remedy: 'Guard the route that was matched, not the text of the path; ignore headers that name another path.',
      async run(bench) {
        const { profile, observes, guard, control, can } = bench
        const [route] = profile.routes
        const { outcome } = await observes({ token: control() }, 'valid token on the path as it is')
        guard(outcome === 'accepted', 'A valid token was not accepted on the path as it is.')
        await noneServed(bench, pathVariants('http://localhost', route))
        for (const other of profile.routes.filter(({ operation, methods }) => operation && methods.includes('GET'))) {
          const served = await observes(
            { route: other, token: control() },
            `${nameOf(other, 'GET')} with a valid token`,
          )
          if (isOk(served)) await noneServed(bench, pathVariants('http://localhost', other), served)
        }
        const [open] = profile.publicRoutes ?? []
        if (can('public-route', 'a public path with headers that name the protected one') && open) {
          await noneServed(bench, rewritten(open, route))
        }
      },
    },
    {
      id: 'method-variants',
      title: 'does not serve a protected route by another method',
      level: 'MUST',
      clause: ['cwe-650', 'rfc9110/trace'],
      needs: ['control', 'marker'],
      rationale:
        'Guards that list methods forget one, and frameworks answer HEAD, OPTIONS and made-up methods by themselves.',
      remedy: 'Guard all methods of a route, and refuse those that it does not have.',
      async run(bench) {
        const { profile, observes, judge, guard, control } = bench
        const { outcome } = await observes({ token: control() }, 'valid token with the declared method')
        guard(outcome === 'accepted', 'A valid token was not accepted with the declared method.')
        for (const route of profile.routes) {
          for (const method of METHODS) {
            if (method === 'OPTIONS' && profile.corsPreflight) continue
            const stimulus = `${nameOf(route, method)} without a token`
            const probe = { route, method, credentials: [], headers: [['X-Trustspec-Echo', 'echo-me']] } as const
            const answer = await observes(probe, stimulus)
            notServed(bench, stimulus, answer)
            if (method === 'TRACE') {
              judge(!answer.body.includes('echo-me'), {
                stimulus,
                expected: 'no echo of the request',
                observed: `status ${answer.status} with the request in its body`,
              })
            }
          }
        }
      },
    },
    {
      id: 'upgrade',
      title: 'refuses to upgrade a connection without a token',
      level: 'MUST',
      clause: ['cwe-306', 'rfc9110/upgrade'],
      needs: ['control', 'upgrade'],
      rationale: 'Upgrades pass by the middleware of many frameworks, and what follows is never looked at again.',
      remedy: 'Verify the token in the upgrade handler itself, before answering 101.',
      async run({ observes, judge, guard, control, profile: { upgrade = '/' } }) {
        const valid = await observes({ ...handshake(upgrade), token: control() }, 'handshake with a valid token')
        guard(valid.status === 101, `A handshake with a valid token is answered with ${valid.status}, not with 101.`)
        for (const [name, probe] of [
          ['WebSocket handshake without a token', handshake(upgrade)],
          ['upgrade to h2c without a token', H2C],
        ] as const) {
          const { status } = await observes(probe, name)
          judge(status !== 101, { stimulus: name, expected: 'not 101', observed: '101', failure: 'fail-open' })
        }
      },
    },
    {
      id: 'no-side-effect',
      title: 'does nothing for a request that it refuses',
      level: 'MUST',
      clause: ['cwe-696'],
      needs: ['issuer', 'side-effect'],
      runs: 'alone',
      rationale: 'A handler that runs before the guard has answered has moved the money when the 401 goes out.',
      remedy: 'Wait for the verdict of the guard before anything else is done with the request.',
      async run(bench) {
        const { observes, judge, guard, mint, now, profile } = bench
        const { path, counter, pointer } = profile.sideEffect ?? { path: '/', counter: '/', pointer: '/' }
        const read = async (): Promise<number | undefined> => {
          const { body } = await observes({ token: mint(), route: { path: counter, methods: ['GET'] } }, 'the counter')
          return numberAt(body, pointer)
        }
        const route = profile.routes.find((one) => one.path === path) ?? { path, methods: ['POST'] }
        const post = { route, method: 'POST' }
        const start = await read()
        await observes({ ...post, token: mint() }, 'valid token')
        const counted = await read()
        guard(start !== undefined && counted === start + 1, 'The counter does not count a request with a valid token.')
        const forged = mint({}, { key: { ...attackerOf(bench), kid: bench.keys.main.kid, alg: bench.keys.main.alg } })
        const bad: readonly Bare[] = [
          ['POST with a forged token', { ...post, token: forged }],
          ['POST with an expired token', { ...post, token: mint({ exp: now() - 3600 }) }],
          ['POST without a token', { ...post, credentials: [] }],
        ]
        for (const [name, probe] of bad) {
          const before = await read()
          const answer = await observes(probe, name)
          const after = await read()
          notServed(bench, name, answer)
          judge(after === before, {
            stimulus: name,
            expected: 'the counter unchanged',
            observed: `it rose from ${before} to ${after}`,
            failure: 'fail-open',
          })
        }
      },
    },
  ],
})
