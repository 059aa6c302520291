import type { WireRequest } from '../client/wire.ts'
import type { Call } from '../model/gateway-bench.ts'
import type { ApiKey, GatewayRoute, KeyLocation, ResolvedGatewayProfile } from '../model/gateway-profile.ts'
import type { HeaderLines } from '../model/http.ts'

/** Header and query parameter that tell which call a request at the origin belongs to. */
export const NONCE_HEADER = 'X-Trustspec-Nonce'
const NONCE_PARAMETER = 'trustspec'

/** Methods for which a body means nothing (RFC 9110 section 9.3). */
const BODILESS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT'])

/** Lines of every call that does not set them itself. */
const ORDINARY: HeaderLines = [
  ['Accept', '*/*'],
  ['User-Agent', 'trustspec'],
]

function sets({ headers = [] }: Call, name: string): boolean {
  return headers.some(([other]) => other.toLowerCase() === name.toLowerCase())
}

/** Route, method and key of a call after the defaults. */
export function placeOf(call: Call, profile: ResolvedGatewayProfile, main: ApiKey | undefined) {
  const route: GatewayRoute = call.route ?? profile.routes[0]
  const key = call.key === undefined ? main?.key : call.key === null ? undefined : textOf(call.key)
  return { route, method: call.method ?? route.methods[0], key }
}

/** The request of a call with its nonce. */
export function requestOf(
  call: Call,
  nonce: string,
  profile: ResolvedGatewayProfile,
  main: ApiKey | undefined,
): WireRequest {
  const { route, method, key } = placeOf(call, profile, main)
  const at = call.location ?? profile.keyLocations[0]
  const form = key !== undefined && at.in === 'body' ? `${at.name}=${encodeURIComponent(key)}` : undefined
  const query = [
    ...(call.query === undefined ? [] : [call.query]),
    ...(key !== undefined && at.in === 'query' ? [`${at.name}=${encodeURIComponent(key)}`] : []),
    ...(call.sameUrl === true ? [] : [`${NONCE_PARAMETER}=${nonce}`]),
  ].join('&')
  const { text, type } = bodyOf(call, route, method, form)
  return {
    method,
    target: call.target?.replaceAll('{nonce}', nonce) ?? `${route.path}${query === '' ? '' : '?'}${query}`,
    headers: [
      ...ORDINARY.filter(([name]) => !sets(call, name)),
      [NONCE_HEADER, nonce],
      ...(key === undefined ? [] : headersOf(key, at)),
      ...(call.headers ?? []),
      ...(route.headers ?? []),
      ...(type === undefined ? [] : [['Content-Type', type] as const]),
    ],
    ...(text === undefined ? {} : { body: text }),
    ...(call.withinMs === undefined ? {} : { withinMs: call.withinMs }),
  }
}

function bodyOf(call: Call, route: GatewayRoute, method: string, form: string | undefined) {
  if (call.body !== undefined) return { text: call.body, type: call.contentType ?? 'application/json' }
  if (form !== undefined) return { text: form, type: 'application/x-www-form-urlencoded' }
  if (BODILESS.has(method)) return {}
  return { text: route.body?.text ?? '{"item":"1"}', type: route.body?.contentType ?? 'application/json' }
}

function headersOf(key: string, { in: kind, name, scheme }: KeyLocation): HeaderLines {
  if (kind === 'header') return [[name, scheme === undefined || scheme === '' ? key : `${scheme} ${key}`]]
  return kind === 'cookie' ? [['Cookie', `${name}=${key}`]] : []
}

function textOf(key: ApiKey | string): string {
  return typeof key === 'string' ? key : key.key
}

/** Whether a call is the control itself, with a key that must work: a refusal of it says all that there is to say. */
export function isControl(call: Call, profile: ResolvedGatewayProfile, keys: readonly ApiKey[]): boolean {
  const { key, location, query, headers, body, target, on, instance } = call
  const isKnown = key === undefined || keys.some((one) => one === key)
  const isDeclared = location === undefined || profile.keyLocations.includes(location)
  return isKnown && isDeclared && [query, headers, body, target, on, instance].every((change) => change === undefined)
}
