import type { Call, GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { GatewayRoute, KeyLocation } from '../../harness/model/gateway-profile.ts'

/** A route and a method of it that takes a body. */
export interface Writes {
  readonly route: GatewayRoute
  readonly method: string
}

/** The first declared route and method that takes a body; undefined where none is declared. */
export function writing({ profile }: Pick<GatewayBench, 'profile'>): Writes | undefined {
  for (const route of profile.routes) {
    const method = route.methods.find((one) => ['POST', 'PUT', 'PATCH'].includes(one))
    if (method !== undefined) return { route, method }
  }
  return undefined
}

/** A call whose key goes there: a body has to be one that the route takes. Undefined where no route does. */
export function callAt(bench: Pick<GatewayBench, 'profile'>, location: KeyLocation): Call | undefined {
  if (location.in !== 'body') return { location }
  const writes = writing(bench)
  return writes && { ...writes, location }
}

/** Request line and header lines of a call by hand, as the wire has them, without the empty line. */
export interface RawHead {
  readonly target: string
  readonly lines: readonly string[]
}

/** A call with the main key; the nonce is in its target. */
export function rawHead({ host, profile, keys }: GatewayBench, route: GatewayRoute, nonce: string): RawHead {
  const key = keys[0]?.key ?? ''
  const at = profile.keyLocations.find((one) => one.in === 'header') ?? profile.keyLocations[0]
  const value = at.scheme === undefined || at.scheme === '' ? key : `${at.scheme} ${key}`
  return {
    target: targetOf(route.path, nonce, at.in === 'query' ? `${at.name}=${encodeURIComponent(key)}` : undefined),
    lines: [
      `Host: ${host}`,
      'User-Agent: trustspec',
      ...(at.in === 'header' ? [`${at.name}: ${value}`] : []),
      ...(at.in === 'cookie' ? [`Cookie: ${at.name}=${key}`] : []),
      ...(route.headers ?? []).map(([name, text]) => `${name}: ${text}`),
    ],
  }
}

/** A target that the capture origins find by its nonce. */
export function targetOf(path: string, nonce: string, query?: string): string {
  return `${path}?${query === undefined ? '' : `${query}&`}trustspec=${nonce}`
}

/** A whole message: head, empty line, body. */
export function message(method: string, { target, lines }: RawHead, more: readonly string[], body: string): string {
  return `${[`${method} ${target} HTTP/1.1`, ...lines, ...more].join('\r\n')}\r\n\r\n${body}`
}
