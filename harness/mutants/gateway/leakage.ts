import { answer } from '../../gateway/answer.ts'
import { exchange } from '../../gateway/exchange.ts'
import { admit } from '../../gateway/admit.ts'
import { outgoing } from '../../gateway/outgoing.ts'
import { apiKey } from '../../gateway/policies/api-key-inbound.ts'
import { upstreamJwt } from '../../gateway/policies/upstream-zuplo-jwt-auth-inbound.ts'
import type { GatewayRequest } from '../../gateway/request.ts'
import type { Exchange } from '../../gateway/steps.ts'
import type { GatewayFlaw } from '../../targets/embedded-gateway.ts'
import type { GatewayMutant } from './mutant.ts'
import { around, asking, mapped, presented, stepping, valueIn } from './key-parts.ts'

const CASES = 'gateway/leakage'

/** Query of a request as it came in, without its question mark. */
function queryOf({ url }: GatewayRequest): string {
  const at = url.indexOf('?')
  return at < 0 ? '' : url.slice(at + 1)
}

/** Whether the key of a request came in a header of its own. */
function isInHeader(request: GatewayRequest, key: string): boolean {
  return !queryOf(request).includes(key) && request.headers.get('cookie')?.includes(key) !== true
}

/** Puts a text of the key into a claim or another place of the token; `alter` changes the user for the token alone. */
const telling = (textOf: (key: string) => string) => (): GatewayFlaw => {
  const keys = new WeakMap<GatewayRequest, string>()
  return {
    kinds: [
      around(apiKey, (inner) => (request) => {
        const [key = ''] = presented(request)
        keys.set(request, key)
        return inner(request)
      }),
      around(upstreamJwt, (inner) => (request) => {
        const { user } = request
        if (user) request.user = { ...user, sub: textOf(keys.get(request) ?? '') }
        const verdict = inner(request)
        request.user = user
        return verdict
      }),
    ],
  }
}

/** Changes what goes to the origin. */
const exchanging = (change: (given: Exchange) => Exchange) =>
  stepping(() => ({ exchange: (given, steps, context) => exchange(change(given), steps, context) }))

/** Another query for the origin. */
const asked = (given: Exchange, change: (pairs: readonly string[]) => readonly string[]): Exchange => {
  const { origin, target } = given.destination
  const at = target.indexOf('?')
  if (at < 0) return given
  const pairs = change(target.slice(at + 1).split('&'))
  return { ...given, destination: { origin, target: `${target.slice(0, at)}?${pairs.join('&')}` } }
}

const withLines = (given: Exchange, change: (name: string, value: string) => string | undefined): Exchange => ({
  ...given,
  lines: mapped(given.lines, change),
})

/** Logs a text for every request besides what the reference logs. */
const logging =
  (textOf: {
    readonly incoming?: (lines: readonly string[]) => string
    readonly outgoing?: (lines: readonly string[]) => string
  }) =>
  (): GatewayFlaw => {
    const logged: string[] = []
    return {
      options: {
        steps: {
          admit(incoming, headers) {
            if (textOf.incoming) logged.push(textOf.incoming(incoming.rawHeaders))
            return admit(incoming, headers)
          },
          outgoing(...given) {
            const lines = outgoing(...given)
            if (textOf.outgoing) logged.push(textOf.outgoing(lines))
            return lines
          },
        },
      },
      hooks: (hooks) => ({ logs: async () => `${await hooks.logs()}${logged.join('\n')}\n` }),
    }
  }

/** Flaws that the suite gateway/leakage finds. */
export const leakageMutants: readonly GatewayMutant[] = [
  {
    id: 'G22',
    flaw: 'forwards the key of a header',
    make: asking((inner) => (request) => {
      const [key = ''] = presented(request)
      const isOwn = isInHeader(request, key)
      const verdict = inner(request)
      if (verdict === undefined && isOwn) request.headers.set('X-Api-Key', key)
      return verdict
    }),
    kills: [`${CASES}/key-in-header`],
  },
  {
    id: 'G23',
    flaw: 'forwards the key of a query',
    make: asking((inner) => (request) => {
      const [key = ''] = presented(request)
      const verdict = inner(request)
      if (verdict === undefined && key !== '' && queryOf(request).includes(key)) request.search = `?${queryOf(request)}`
      return verdict
    }),
    kills: [`${CASES}/key-in-query-cookie-body`],
  },
  {
    id: 'G24',
    flaw: 'names a consumer by its key in base64',
    make: telling((key) => Buffer.from(key).toString('base64')),
    kills: [`${CASES}/key-in-token`, 'gateway/token/subject-per-consumer'],
  },
  {
    id: 'G25',
    flaw: 'drops names of the query that it has seen, and conditional header lines',
    make: exchanging((given) =>
      asked(
        withLines(given, (name, value) => (name.startsWith('if-') ? undefined : value)),
        (pairs) => {
          const names = pairs.map((pair) => pair.split('=')[0])
          return pairs.filter((_, at) => names.indexOf(names[at]) === at)
        },
      ),
    ),
    kills: [`${CASES}/key-in-query-cookie-body`, `${CASES}/nothing-else-stripped`],
  },
  {
    id: 'G26',
    flaw: 'shows what it sent to the origin where the origin fails',
    make: stepping(() => ({
      async exchange(given, steps, context) {
        const exchanged = await exchange(given, steps, context)
        if (!('problem' in exchanged)) return exchanged
        return { ...exchanged, problem: { ...exchanged.problem, detail: given.lines.join('\n') } }
      },
    })),
    kills: [`${CASES}/jwt-to-client`],
  },
  {
    id: 'G27',
    flaw: 'follows redirects of the origin',
    make: exchanging((given) => ({ ...given, handler: { ...given.handler, followRedirects: true } })),
    kills: [`${CASES}/redirect-not-followed`],
  },
  {
    id: 'G28',
    flaw: 'logs the header lines of requests',
    make: logging({ incoming: (lines) => JSON.stringify(lines) }),
    kills: [`${CASES}/logs`],
  },
  {
    id: 'G111',
    flaw: 'sorts the query when it takes a key out of it',
    make: asking((inner) => (request) => {
      const [key = ''] = presented(request)
      const verdict = inner(request)
      if (verdict !== undefined || key === '' || !queryOf(request).includes(key)) return verdict
      request.search = `?${request.search.slice(1).split('&').toSorted().join('&')}`
      return verdict
    }),
    kills: [`${CASES}/key-in-query-cookie-body`],
  },
  {
    id: 'G112',
    flaw: 'names a consumer by a part of its key',
    make: telling((key) => key.slice(8, 24)),
    kills: [`${CASES}/key-in-token`, 'gateway/token/subject-per-consumer'],
  },
  {
    id: 'G113',
    flaw: 'drops header lines that it does not know',
    make: exchanging((given) => withLines(given, (name, value) => (name === 'x-trustspec-plain' ? undefined : value))),
    kills: [`${CASES}/nothing-else-stripped`],
  },
  {
    id: 'G114',
    flaw: 'writes the query anew',
    make: exchanging((given) => asked(given, (pairs) => [new URLSearchParams(pairs.join('&')).toString()])),
    kills: [`${CASES}/nothing-else-stripped`],
  },
  {
    id: 'G115',
    flaw: 'takes the first pieces of a body for all of it',
    make: exchanging((given) => {
      if ((given.request.contentLength ?? 0) < 65_536) return given
      given.request.headers.remove('content-length')
      const half = given.lines.map((line, at) =>
        given.lines[at - 1]?.toLowerCase() === 'content-length' ? String(65_536) : line,
      )
      return { ...given, lines: half, incoming: cut(given, 65_536) }
    }),
    kills: [`${CASES}/nothing-else-stripped`],
  },
  {
    id: 'G116',
    flaw: 'gives the token that it sent to the origin to the caller',
    make: stepping(() => ({
      answer: (lines, given) => [
        ...answer(lines, given),
        'X-Upstream-Authorization',
        valueIn(given.lines, 'authorization') ?? '',
      ],
    })),
    kills: [`${CASES}/jwt-to-client`],
  },
  {
    id: 'G117',
    flaw: 'logs what it sends to origins',
    make: logging({ outgoing: (lines) => JSON.stringify(lines) }),
    kills: [`${CASES}/logs`],
  },
  {
    id: 'G118',
    flaw: 'forwards the key in base64',
    make: asking((inner) => (request) => {
      const [key = ''] = presented(request)
      const isOwn = isInHeader(request, key)
      const verdict = inner(request)
      if (verdict === undefined && isOwn) request.headers.set('X-Trace', Buffer.from(`k:${key}`).toString('base64'))
      return verdict
    }),
    kills: [`${CASES}/key-in-header`],
  },
  {
    id: 'G119',
    flaw: 'forwards the key of a cookie',
    make: asking((inner) => (request) => {
      const cookie = request.headers.get('cookie')
      const verdict = inner(request)
      if (verdict === undefined && cookie !== undefined) request.headers.set('Cookie', cookie)
      return verdict
    }),
    kills: [`${CASES}/key-in-query-cookie-body`],
  },
]

/** The request with so many octets of its body. */
function cut({ incoming }: Exchange, octets: number): Exchange['incoming'] {
  let left = octets
  incoming.pipe = ((to: NodeJS.WritableStream) => {
    incoming.on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, left)
      left -= part.length
      if (part.length > 0) to.write(part)
    })
    incoming.on('end', () => to.end())
    return to
  }) as Exchange['incoming']['pipe']
  return incoming
}
