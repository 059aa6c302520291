import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { admit } from '../../gateway/admit.ts'
import { inbound } from '../../gateway/inbound.ts'
import { isKeyText } from '../../gateway/keys/format.ts'
import { apiKey } from '../../gateway/policies/api-key-inbound.ts'
import { rateLimitInbound } from '../../gateway/policies/rate-limit-inbound.ts'
import type { KeyRecord } from '../../gateway/policy.ts'
import { problem, replyOf } from '../../gateway/reply.ts'
import type { GatewayRequest, User } from '../../gateway/request.ts'
import type { Match, RouteTable } from '../../gateway/steps.ts'
import { cleaning } from './key-fronts.ts'
import type { GatewayMutant } from './mutant.ts'
import { around, asking, finding, keyIn, presented, stepping, storing } from './key-parts.ts'

const someone = (consumer: string): KeyRecord => ({ id: 'key_made-up', consumer, metadata: {}, disabled: false })

/** Finds a key by what is left of it once it is made shorter or simpler. */
const knownBy = (reduce: (key: string) => string) =>
  storing((keys) => {
    const known = new Map<string, string>()
    return {
      async createKey(...given) {
        const made = await keys.createKey(...given)
        known.set(reduce(made.key), made.key)
        return made
      },
      find: (bucket, key) => keys.find(bucket, known.get(reduce(key)) ?? key),
    }
  })

/** Takes the first of two keys; `also` learns of the last one. */
const firstOfTwo = (also: (request: GatewayRequest, last: string, user: User) => void) =>
  around(apiKey, (inner, { keys }) => (request) => {
    const given = presented(request).flatMap((line) => line.split(/, */u).map(keyIn))
    const [first = '', last = first] = [given[0], given.at(-1)]
    if (given.length > 1) request.headers.set('Authorization', `Bearer ${first}`)
    const verdict = inner(request)
    const record = keys.find('default', last)
    if (verdict === undefined && given.length > 1) {
      also(request, last, { sub: record?.consumer ?? 'nobody', data: record?.metadata ?? {} })
    }
    return verdict
  })

/** A path without dot segments, doubled slashes and what needs no encoding. */
function tidied(path: string): string {
  const decoded = path.replaceAll(/%(?:2e|2f|5c|[46][1-9a-f]|[57][\da])/giu, (one) => decodeURIComponent(one))
  return new URL(`http://gateway${decoded.replaceAll(/;[^/]*/gu, '').replaceAll(/[/\\]+/gu, '/')}`).pathname
}

/** Takes any target, without a word about how it is written. */
const takesAny = (incoming: IncomingMessage, ...rest: [Parameters<typeof admit>[1]]): ReturnType<typeof admit> => {
  const given = admit(incoming, ...rest)
  // What is wrong with the host or the framing is refused as ever.
  if (!('problem' in given) || !/path|fragment/u.test(given.detail ?? '')) return given
  const target = (incoming.url ?? '').replace(/^https?:\/\/[^/?#]*/iu, '').replace(/#.*$/su, '')
  const at = target.indexOf('?')
  return { path: at < 0 ? target : target.slice(0, at), search: at < 0 ? '' : target.slice(at) }
}

/** The public route for a path that is forwarded as it looks once it is tidied. */
function unguarded(table: RouteTable, method: string, path: string): Match | undefined {
  const open = table.find(method, '/public')
  if (!open) return undefined
  const { handler } = open.route
  const destination: typeof handler.destination = (request) => {
    const made = handler.destination(request)
    return 'problem' in made ? made : { ...made, target: `${tidied(path)}${request.search}` }
  }
  return { ...open, route: { ...open.route, handler: { ...handler, destination } } }
}

const CASES = 'gateway/key-auth'

/** Cases that see it where a key that was reported goes on to work. */
const LEAKED_STAY = ['alert-revokes', 'raw-body', 'key-list', 'batch', 'tolerant-receiver'].map(
  (name) => `gateway/leaked-keys/${name}`,
)

/** Flaws that the suite gateway/key-auth finds. */
export const keyAuthMutants: readonly GatewayMutant[] = [
  {
    id: 'G01',
    flaw: 'refuses every request',
    make: asking(() => () => problem(401, { headers: [['WWW-Authenticate', 'Bearer']] })),
    kills: [`${CASES}/control-valid`],
    chain: ['chain/happy-path'],
  },
  {
    id: 'G02',
    flaw: 'forwards requests without a key',
    make: () => ({
      kinds: [
        {
          ...apiKey,
          create: (options, context) => apiKey.create({ ...options, allowUnauthenticatedRequests: true }, context),
        },
      ],
    }),
    kills: [
      `${CASES}/missing`,
      `${CASES}/hostile-values`,
      `${CASES}/undeclared-location`,
      `${CASES}/every-method`,
      `${CASES}/path-variants`,
      `${CASES}/per-request-not-per-connection`,
      `${CASES}/www-authenticate`,
      'gateway/spoofing/upgrade',
    ],
  },
  {
    id: 'G03',
    flaw: 'takes any key whose checksum is right',
    make: finding(
      (keys) => (bucket, key) => keys.find(bucket, key) ?? (isKeyText(key) ? someone('anybody') : undefined),
    ),
    kills: [
      `${CASES}/unknown`,
      `${CASES}/revoked`,
      `${CASES}/rollover-overlap`,
      `${CASES}/per-request-not-per-connection`,
      `${CASES}/www-authenticate`,
      `${CASES}/rejection-discloses-nothing`,
    ],
  },
  {
    id: 'G04',
    flaw: 'looks keys up by their first 8 characters',
    make: knownBy((key) => key.slice(0, 8)),
    kills: [`${CASES}/near-miss`, `${CASES}/control-characters`],
  },
  {
    id: 'G06',
    flaw: 'compares keys without regard to case',
    make: knownBy((key) => key.toLowerCase()),
    kills: [`${CASES}/case-folded`],
  },
  {
    id: 'G07',
    flaw: 'looks keys up as members of a plain object, and in SQL made of text',
    make: finding((keys) => (bucket, key) => {
      const members: Readonly<Record<string, unknown>> = {}
      const isInjected = /' *or '?1'?='?1/iu.test(key)
      return keys.find(bucket, key) ?? (key in members || isInjected ? someone('object') : undefined)
    }),
    kills: [`${CASES}/hostile-values`],
  },
  {
    id: 'G08',
    flaw: 'decodes percent sequences in field values, line ends too',
    make: stepping(() => ({
      admit(incoming, headers) {
        const added: string[] = []
        headers.map((name, value) => {
          if (name === 'cookie') return value
          const [first = '', ...lines] = decoded(value).split('\r\n')
          added.push(...lines)
          return first
        })
        for (const line of added) headers.add(line.split(':')[0] ?? '', line.slice(line.indexOf(':') + 1).trim())
        return admit(incoming, headers)
      },
    })),
    kills: [`${CASES}/near-miss`, `${CASES}/control-characters`, 'gateway/spoofing/header-injection-by-encoding'],
  },
  {
    id: 'G09',
    flaw: 'reads headers without a limit, and never ends with a long key',
    make: () => ({
      options: { limits: { headerOctets: 4 * 1024 * 1024 } },
      kinds: [
        around(apiKey, (inner) => (request) => {
          if (presented(request).some((key) => key.length > 500_000)) return new Promise(() => undefined)
          return inner(request)
        }),
      ],
    }),
    kills: [`${CASES}/oversize`],
  },
  {
    id: 'G10',
    flaw: 'takes the first of two keys and forwards the last',
    make: () => ({ kinds: [firstOfTwo((request, last) => request.headers.set('X-Api-Key', last))] }),
    kills: [`${CASES}/two-keys`],
  },
  {
    id: 'G11',
    flaw: 'takes keys in other parameters and cookies too',
    make: asking((inner) => (request) => {
      const query = new URLSearchParams(request.search)
      const cookie = /(?:^|; *)apikey=([^;]+)/u.exec(request.headers.get('cookie') ?? '')?.[1]
      const key = query.get('key') ?? cookie
      if (key !== undefined && !request.headers.has('authorization')) {
        request.headers.set('Authorization', `Bearer ${key}`)
      }
      return inner(request)
    }),
    kills: [`${CASES}/undeclared-location`],
  },
  {
    id: 'G12',
    flaw: 'keeps keys that it has found for ever',
    make: finding((keys) => {
      const cache = new Map<string, KeyRecord>()
      return (bucket, key) => {
        const found = cache.get(key) ?? keys.find(bucket, key)
        if (found) cache.set(key, found)
        return found
      }
    }),
    kills: [`${CASES}/revoked`, `${CASES}/rollover-overlap`, ...LEAKED_STAY],
  },
  {
    id: 'G13',
    flaw: 'looks neither at the expiry of a key nor whether it is switched off',
    make: finding((keys) => (bucket, key) => {
      const found = keys.find(bucket, key)
      if (!found) return undefined
      const { expiresMs: _, ...rest } = found
      return { ...rest, disabled: false }
    }),
    kills: [`${CASES}/expired-or-disabled`, `${CASES}/rejection-discloses-nothing`, ...LEAKED_STAY],
  },
  {
    id: 'G14',
    flaw: 'switches the keys of a consumer off when it issues another one',
    make: storing((keys) => ({
      async createKey(bucket, consumer, details) {
        for (const { id } of keys.keys(bucket, consumer)) await keys.updateKey(bucket, consumer, id, { disabled: true })
        return await keys.createKey(bucket, consumer, details)
      },
    })),
    kills: [`${CASES}/rollover-overlap`],
  },
  {
    id: 'G15',
    flaw: 'does not check which routes a consumer may use',
    make: stepping(() => ({
      inbound: (route, request) =>
        inbound({ ...route, policies: route.policies.filter((_, at) => route.inbound[at] !== 'plan') }, request),
    })),
    kills: [`${CASES}/route-entitlement`, 'gateway/spoofing/proxy-headers'],
  },
  {
    id: 'G16',
    flaw: 'lets HEAD and OPTIONS past the guard',
    make: stepping(() => ({
      route(table, method, path) {
        const found = table.find(method === 'HEAD' || method === 'OPTIONS' ? 'GET' : method, path)
        if (!found || (method !== 'HEAD' && method !== 'OPTIONS')) return found
        return { ...found, route: { ...found.route, policies: [] } }
      },
    })),
    kills: [`${CASES}/every-method`, 'gateway/faults/every-forward-is-signed'],
  },
  {
    id: 'G17',
    flaw: 'guards the raw path, and forwards the path once it is tidied',
    make: stepping(() => ({
      admit: takesAny,
      route: (table, method, path) =>
        table.find(method, path) ?? (tidied(path) === path ? undefined : unguarded(table, method, path)),
    })),
    kills: [`${CASES}/path-variants`, 'gateway/faults/every-forward-is-signed'],
  },
  {
    id: 'G18',
    flaw: 'remembers for a connection that it had a valid key',
    make: stepping(() => {
      const known = new WeakMap<Socket, string>()
      return {
        async inbound(route, request, incoming) {
          const own = request.headers.get('authorization')
          const verdict = await inbound(route, request)
          const remembered = known.get(incoming.socket)
          if (verdict !== undefined && remembered !== undefined) {
            request.headers.set('Authorization', remembered)
            return await inbound(route, request)
          }
          if (own !== undefined && request.user) known.set(incoming.socket, own)
          return verdict
        },
      }
    }),
    kills: [`${CASES}/per-request-not-per-connection`],
    spills: true,
  },
  {
    id: 'G19',
    flaw: 'answers 401 without WWW-Authenticate',
    make: stepping(() => ({
      refuse: (given, context) => replyOf({ ...given, headers: [] }, context),
    })),
    kills: [`${CASES}/www-authenticate`, 'gateway/rate-limits/throttle-response'],
  },
  {
    id: 'G20',
    flaw: 'says of a key that it is switched off',
    make: asking((inner, { keys }) => (request) => {
      const [key = ''] = presented(request)
      if (keys.find('default', key)?.disabled !== true) return inner(request)
      return problem(401, { detail: 'This key was switched off', headers: [['WWW-Authenticate', 'Bearer']] })
    }),
    kills: [`${CASES}/rejection-discloses-nothing`],
  },
  {
    id: 'G21',
    flaw: 'makes keys of 4 random octets, without a checksum',
    make: storing((keys) => ({
      async createKey(bucket, consumer, details) {
        const key = `tsk_${randomBytes(4).toString('hex').padEnd(32, 'x')}_xxxxxx`
        return { key, stored: await keys.importKey(bucket, consumer, key, details) }
      },
    })),
    kills: [`${CASES}/format`],
  },
  {
    id: 'G100',
    flaw: 'takes control octets out of field values, and folded lines apart',
    make: () => ({ front: (url) => cleaning(url) }),
    kills: [`${CASES}/control-characters`],
  },
  {
    id: 'G101',
    flaw: 'takes the first of two keys and counts the last',
    make() {
      const payers = new WeakMap<GatewayRequest, User>()
      return {
        kinds: [
          firstOfTwo((request, _, user) => payers.set(request, user)),
          around(rateLimitInbound, (inner) => async (request) => {
            const { user } = request
            request.user = payers.get(request) ?? user
            const verdict = await inner(request)
            request.user = user
            return verdict
          }),
        ],
      }
    },
    kills: [`${CASES}/two-keys`],
  },
  {
    id: 'G102',
    flaw: 'revokes all keys of a consumer with one of them',
    make: storing((keys) => ({
      async deleteKey(bucket, consumer) {
        for (const { id } of keys.keys(bucket, consumer)) await keys.deleteKey(bucket, consumer, id)
      },
    })),
    kills: [`${CASES}/rollover-overlap`],
  },
  {
    id: 'G103',
    flaw: 'repeats the beginning of a key that it refuses',
    make: asking((inner) => (request) => {
      const [key = ''] = presented(request)
      const verdict = inner(request)
      if (verdict === undefined || key.length < 24) return verdict
      return problem(401, { detail: `Unknown key ${key.slice(0, 20)}…`, headers: [['WWW-Authenticate', 'Bearer']] })
    }),
    kills: [`${CASES}/rejection-discloses-nothing`, 'gateway/rate-limits/auth-failures'],
  },
  {
    id: 'G104',
    flaw: 'reads field values as 7 bits',
    make: asking((inner) => (request) => {
      const [key = ''] = presented(request)
      const bare = key.replaceAll(/[\u0080-\u00ff]/gu, (one) => String.fromCharCode((one.codePointAt(0) ?? 0) & 0x7f))
      if (bare !== key) request.headers.set('Authorization', `Bearer ${bare}`)
      return inner(request)
    }),
    kills: [`${CASES}/control-characters`],
  },
  {
    id: 'G105',
    flaw: 'cuts keys off where a dot or a percent sign is',
    make: asking((inner) => (request) => {
      const [key] = presented(request)
      if (key !== undefined) request.headers.set('Authorization', `Bearer ${key.replace(/[.%\0].*$/su, '')}`)
      return inner(request)
    }),
    kills: [`${CASES}/near-miss`, `${CASES}/control-characters`],
  },
  {
    id: 'G106',
    flaw: 'answers 500 to a key with a quote in it',
    make: finding((keys) => (bucket, key) => {
      if (key.includes("'")) throw new Error('The statement is malformed')
      return keys.find(bucket, key)
    }),
    kills: [`${CASES}/hostile-values`],
  },
  {
    id: 'G107',
    flaw: 'takes what begins like a public route for public, and forwards the path once it is tidied',
    make: stepping(() => ({
      admit: takesAny,
      route: (table, method, path) =>
        table.find(method, path) ?? (path.startsWith('/public') ? unguarded(table, method, path) : undefined),
    })),
    kills: [`${CASES}/path-variants`, 'gateway/faults/every-forward-is-signed'],
  },
  {
    id: 'G108',
    flaw: 'takes a key as the password of Basic',
    make: asking((inner) => (request) => {
      const [, basic] = /^Basic (\S+)$/u.exec(request.headers.get('authorization') ?? '') ?? []
      const key = basic === undefined ? undefined : Buffer.from(basic, 'base64').toString().split(':')[1]
      if (key !== undefined) request.headers.set('Authorization', `Bearer ${key}`)
      return inner(request)
    }),
    kills: [`${CASES}/undeclared-location`],
  },
  {
    id: 'G109',
    flaw: 'answers 500 to many header lines',
    make: () => ({
      options: {
        limits: { headerOctets: 4 * 1024 * 1024 },
        steps: {
          admit(incoming, headers) {
            if (headers.names.length > 150) throw new Error('Too many')
            return admit(incoming, headers)
          },
        },
      },
    }),
    kills: [`${CASES}/oversize`],
  },
  {
    id: 'G110',
    flaw: 'sends the token of the first caller of a connection for all that follow',
    make: stepping(() => {
      const tokens = new WeakMap<Socket, string>()
      return {
        async inbound(route, request, incoming) {
          const verdict = await inbound(route, request)
          const own = request.headers.get('authorization')
          if (verdict !== undefined || own === undefined) return verdict
          const token = tokens.get(incoming.socket) ?? own
          tokens.set(incoming.socket, token)
          request.headers.set('Authorization', token)
          return undefined
        },
      }
    }),
    kills: [`${CASES}/per-request-not-per-connection`],
    spills: true,
  },
]

function decoded(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/giu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
