import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { KeyLocation } from '../../harness/model/gateway-profile.ts'
import { mainKey, methodWithBody, placeOf } from './calls.ts'
import type { NamedCall } from './calls.ts'

/** Names under which gateways commonly look for a key. */
const NAMES = ['api_key', 'apikey', 'key', 'access_token'] as const

/** A valid key in places that are not declared, and nowhere else. */
export function undeclared(bench: GatewayBench): readonly NamedCall[] {
  const { profile, notProven } = bench
  const { key } = mainKey(bench)
  const { keyLocations, routes } = profile
  const declared = keyLocations.map(({ name }) => name)
  const isDeclared = ({ in: kind, name }: KeyLocation): boolean =>
    keyLocations.some((one) => one.in === kind && one.name.toLowerCase() === name.toLowerCase())
  const names = [...new Set([...NAMES, ...declared])]
  const places = (['query', 'cookie', 'body'] as const).flatMap((kind) => names.map((name) => ({ in: kind, name })))
  const route = routes.find(({ methods }) => methodWithBody(methods) !== undefined)
  const method = route && methodWithBody(route.methods)
  if (method === undefined) {
    notProven('a valid key in a form', 'needs a route with POST, PUT or PATCH', '"routes" of the profile')
  }
  const calls = places
    .filter((location) => !isDeclared(location) && (location.in !== 'body' || method !== undefined))
    .map((location): NamedCall => [
      `a valid key ${placeOf(location)}`,
      { location, ...(location.in === 'body' && route && method !== undefined ? { route, method } : {}) },
    ])
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
  const hasAuthorization = (scheme: string): boolean =>
    keyLocations.some(
      (one) =>
        one.in === 'header' &&
        one.name.toLowerCase() === 'authorization' &&
        (one.scheme ?? '').toLowerCase() === scheme.toLowerCase(),
    )
  const lines: readonly (readonly [scheme: string, name: string, value: string])[] = [
    ['Basic', 'a valid key as the user of Basic', basic(`${key}:`)],
    ['Basic', 'a valid key as the password of Basic', basic(`:${key}`)],
    ['Basic', 'a valid key as the password of a user in Basic', basic(`user:${key}`)],
    ['Bearer', 'a valid key in Authorization with Bearer', `Bearer ${key}`],
  ]
  return [
    ...calls,
    ...lines
      .filter(([scheme]) => !hasAuthorization(scheme))
      .map(([, name, value]): NamedCall => [name, { key: null, headers: [['Authorization', value]] }]),
  ]
}
