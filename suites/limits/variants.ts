import type { Call } from '../../harness/model/gateway-bench.ts'
import type { ApiKey, LimitProfile, ResolvedGatewayProfile } from '../../harness/model/gateway-profile.ts'

/** Headers in which an address can be claimed; `*` is a number that is another one in every request. */
export const ADDRESS_HEADERS: readonly (readonly [name: string, value: string])[] = [
  ['X-Forwarded-For', '192.0.2.*'],
  ['X-Real-IP', '192.0.2.*'],
  ['Forwarded', 'for=192.0.2.*'],
  ['True-Client-IP', '192.0.2.*'],
  ['CF-Connecting-IP', '192.0.2.*'],
  ['X-Client-IP', '192.0.2.*'],
]

/** Calls that differ from the plain one in what must not count. */
export function variantsOf(
  { route, scope }: LimitProfile,
  { key }: ApiKey,
  { keyLocations }: ResolvedGatewayProfile,
): readonly (readonly [name: string, change: Call])[] {
  const { path, methods } = route
  const [location] = keyLocations
  const query = '?trustspec={nonce}'
  const other = methods.find((method) => method !== methods[0])
  return [
    ['a percent-encoded letter in the path', { target: `${encodedLast(path)}${query}` }],
    ['another query', { query: 'page=2&page=3' }],
    // A limit of one route may well be for one method of it.
    ...(other === undefined || scope === 'route' ? [] : [[`the method ${other}`, { method: other }] as const]),
    ...(location.in === 'header'
      ? [
          [
            'the header of the key in other case',
            headerInCase(key, location.name.toUpperCase(), location.scheme),
          ] as const,
        ]
      : []),
    ['the Host in other case', { headers: [['Host', 'LOCALHOST']] }],
    ['another User-Agent', { headers: [['User-Agent', 'another/1.0']] }],
    ['another Accept', { headers: [['Accept-Language', 'de']] }],
  ]
}

/** Spellings of the path that a gateway may take for another route, with limits of its own. */
export function otherPaths({ route: { path } }: LimitProfile): readonly (readonly [name: string, change: Call])[] {
  const query = '?trustspec={nonce}'
  return [
    ['the path in other case', { target: `${path.toUpperCase()}${query}` }],
    ['a slash behind the path', { target: `${path}/${query}` }],
  ]
}

function headerInCase(key: string, name: string, scheme: string | undefined): Call {
  return { location: { in: 'header', name, ...(scheme === undefined ? {} : { scheme }) }, key }
}

function encodedLast(path: string): string {
  const last = path.at(-1) ?? ''
  return /[a-z]/iu.test(last) ? `${path.slice(0, -1)}%${(last.codePointAt(0) ?? 0).toString(16)}` : path
}
