import type { OriginBench } from '../../harness/model/bench.ts'
import type { HeaderLines, Probe } from '../../harness/model/http.ts'
import type { ResolvedProfile, Route } from '../../harness/model/profile.ts'

/** A request without a token, with the name that reports give it. */
export type Bare = readonly [name: string, probe: Probe]

/** Headers in which gateways and proxies commonly tell who is calling. */
const IDENTITY_HEADERS = [
  'X-Consumer-ID',
  'X-Consumer-Username',
  'X-User',
  'X-Forwarded-User',
  'X-Forwarded-Email',
  'X-Gateway-Verified',
]

/** Identity headers, declared ones too, that all name this subject. */
export function identityHeaders(
  { identityHeaders: declared = [] }: Pick<ResolvedProfile, 'identityHeaders'>,
  subject: string,
): HeaderLines {
  const userinfo = Buffer.from(JSON.stringify({ sub: subject })).toString('base64')
  const value = (name: string): string => (name === 'X-Gateway-Verified' ? 'true' : subject)
  return [
    ...[...new Set([...IDENTITY_HEADERS, ...declared])].map((name) => [name, value(name)] as const),
    ['X-Userinfo', userinfo],
  ]
}

/** What claims that a request comes from a trusted place. */
export const PLACES: HeaderLines = [
  ['X-Forwarded-For', '127.0.0.1'],
  ['X-Real-IP', '127.0.0.1'],
  ['Forwarded', 'for=127.0.0.1;host=localhost;proto=https'],
  ['Host', 'localhost'],
  ['Via', '1.1 gateway'],
]

/** Requests without a token that say whom to believe: each header alone, and all of them. */
export function spoofed({ profile }: OriginBench): readonly Bare[] {
  const all = [...identityHeaders(profile, profile.subjects[0]), ...PLACES]
  return [
    ...all.map(([name, value]): Bare => [
      `no token, ${name}: ${name === 'X-Userinfo' ? '(claims in base64)' : value}`,
      { headers: [[name, value]] },
    ]),
    ['no token, all of these at once', { headers: all }],
  ]
}

/** Other spellings of the path of the route, none of them with a token. */
export function pathVariants(origin: string, { path }: Route): readonly Bare[] {
  const [plain = '/', query] = path.split('?')
  const rest = query === undefined ? '' : `?${query}`
  const last = plain.slice(plain.lastIndexOf('/') + 1)
  const base = plain.slice(0, plain.length - last.length)
  const swapped = plain === plain.toUpperCase() ? plain.toLowerCase() : plain.toUpperCase()
  const variants: readonly (readonly [string, string])[] = [
    ['two slashes', `/${plain}`],
    ['/./ before it', `/.${plain}`],
    ['/x/../ before it', `/x/..${plain}`],
    ['%2e%2e before it', `/x/%2e%2e${plain}`],
    ['%2f for its slash', `${base}%2f${last}`],
    ['a path parameter', `${plain};a=b`],
    ['a slash behind it', `${plain}/`],
    ['a dot behind it', `${plain}.`],
    ['other case', swapped],
    ['%00 behind it', `${plain}%00`],
    ['its first letter encoded', `${base}%${(last.codePointAt(0) ?? 0x2f).toString(16)}${last.slice(1)}`],
    ['absolute form', `${origin}${plain}`],
  ]
  return variants
    .filter(([, target]) => target !== plain)
    .map(([name, target]): Bare => [`no token, ${plain} with ${name}`, { target: `${target}${rest}` }])
}

/** A public path, with headers that name the protected one. */
export function rewritten(open: Route, { path }: Route): readonly Bare[] {
  const headers = ['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Uri']
  return [
    ...headers.map((name): Bare => [
      `no token, public path, ${name}: ${path}`,
      { route: open, headers: [[name, path]] },
    ]),
    [
      'no token, public path, X-HTTP-Method-Override: GET',
      {
        route: open,
        headers: [
          ['X-HTTP-Method-Override', 'GET'],
          ['X-Original-URL', path],
        ],
      },
    ],
  ]
}

/** Methods that guards are known to forget. */
export const METHODS = ['HEAD', 'OPTIONS', 'TRACE', 'PUT', 'PATCH', 'DELETE', 'FOO', 'get'] as const

/** A WebSocket handshake (RFC 6455 section 4.1); the key is any 16 octets. */
export function handshake(path: string): Probe {
  return {
    route: { path, methods: ['GET'] },
    headers: [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Version', '13'],
      ['Sec-WebSocket-Key', Buffer.from('trustspec-bypass').toString('base64')],
    ],
  }
}

/** An upgrade to HTTP/2 in clear text (RFC 7540 section 3.2, withdrawn by RFC 9113 but still served). */
export const H2C: Probe = {
  headers: [
    ['Connection', 'Upgrade, HTTP2-Settings'],
    ['Upgrade', 'h2c'],
    ['HTTP2-Settings', 'AAMAAABkAAQCAAAAAAIAAAAA'],
  ],
}
