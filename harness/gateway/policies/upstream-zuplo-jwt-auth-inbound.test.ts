import { beforeEach, expect, test } from 'vitest'
import { movableClock } from '../../clock/clock.ts'
import { Headers } from '../headers.ts'
import type { PolicyContext } from '../policy.ts'
import type { GatewayRequest } from '../request.ts'
import { memoryRing } from '../tokens/ring-store.ts'
import { startJwtService } from '../tokens/service.ts'
import type { JwtService } from '../tokens/service.ts'
import { upstreamJwt } from './upstream-zuplo-jwt-auth-inbound.ts'

let clock = movableClock()
let service: JwtService
let events: string[] = []

beforeEach(async () => {
  clock = movableClock()
  events = []
  service = await startJwtService({
    settings: { basePath: '/issuer', lifetimeSec: 300, algorithm: 'EdDSA' },
    publicUrl: 'https://api.example.com',
    clock,
    store: memoryRing(),
    report: () => undefined,
  })
  return () => service[Symbol.asyncDispose]()
})

function policy(options: Readonly<Record<string, unknown>>, tokens: PolicyContext['tokens'] = service) {
  const context = {
    name: 'jwt',
    clock,
    tokens,
    report: ({ event }: { event: string }) => events.push(event),
  } as unknown as PolicyContext
  const inbound = upstreamJwt.create(options, context)
  return (
    sub: string | undefined,
    lines: string[] = [],
    url = 'https://api.example.com/orders?page=2',
    search = new URL(url).search,
  ) => {
    const headers = new Headers(lines)
    const user = sub === undefined ? undefined : { sub, data: {} }
    const verdict = inbound({ headers, url, search, user } as unknown as GatewayRequest)
    return { verdict, headers }
  }
}

const claimsOf = (value: string | undefined) =>
  JSON.parse(Buffer.from(value?.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>

test('by default: Authorization, Bearer, the URL of the request as audience, the life of the service', () => {
  const { headers } = policy({})('consumer-one', ['authorization', 'Bearer forged', 'AUTHORIZATION', 'Bearer again'])
  const claims = claimsOf(headers.get('authorization'))

  expect(headers.all('authorization')).toHaveLength(1)
  expect(headers.get('authorization')).toMatch(/^Bearer eyJ/u)
  expect(claims).toMatchObject({ sub: 'consumer-one', aud: 'https://api.example.com/orders?page=2' })
  expect(Number(claims['exp']) - Number(claims['iat'])).toBe(300)
})

test('what a policy took out of the query is not in the audience: a key may have stood there', () => {
  const { headers } = policy({})('consumer-one', [], 'https://api.example.com/orders?key=secret&page=2', '?page=2')
  expect(claimsOf(headers.get('authorization'))['aud']).toBe('https://api.example.com/orders?page=2')
})

test('with options: header, raw token, audience, expiry, claims', () => {
  const options = {
    audience: 'https://orders.example.com',
    headerName: 'X-Service-Token',
    tokenPrefix: '',
    expiresIn: '2m',
    additionalClaims: { plan: 'team' },
  }
  const { headers } = policy(options)(undefined)
  const claims = claimsOf(headers.get('x-service-token'))

  expect(headers.get('x-service-token')).toMatch(/^eyJ/u)
  expect(claims).toMatchObject({ sub: 'api-gateway', aud: 'https://orders.example.com', plan: 'team' })
  expect(Number(claims['exp']) - Number(claims['iat'])).toBe(120)
  expect(upstreamJwt.headers?.(options).sets).toEqual(['X-Service-Token'])
})

test('a token is kept for its consumer and audience alone, and never across them', () => {
  const one = policy({})
  const other = policy({ audience: 'https://orders.example.com' })
  // A walk over consumers and audiences in an order that follows from the numbers.
  for (let step = 0; step < 500; step += 1) {
    const sub = `consumer-${(step * 7919) % 13}`
    const url = `https://api.example.com/orders/${(step * 104_729) % 11}`
    expect(claimsOf(one(sub, [], url).headers.get('authorization'))).toMatchObject({ sub, aud: url })
    const { headers } = other(sub, [], url)
    expect(claimsOf(headers.get('authorization'))).toMatchObject({ sub, aud: 'https://orders.example.com' })
  }
  expect(one('a').headers.get('authorization')).toBe(one('a').headers.get('authorization'))
  expect(one('a').headers.get('authorization')).not.toBe(one('b').headers.get('authorization'))
})

test('a token that goes out has half of its life before it', () => {
  const send = policy({})
  let mints = 0
  let last = ''
  for (let second = 0; second < 900; second += 15) {
    const value = send('a').headers.get('authorization') ?? ''
    if (value !== last) mints += 1
    last = value
    expect(Number(claimsOf(value)['exp']) - clock.nowMs() / 1000).toBeGreaterThan(148)
    clock.advance(15)
  }
  expect(mints).toBeLessThan(8)
})

test('after the revocation of a key none of its tokens goes out', async () => {
  const send = policy({})
  const before = send('a').headers.get('authorization') ?? ''
  const { kid } = JSON.parse(Buffer.from(before.slice(7).split('.')[0] ?? '', 'base64url').toString()) as {
    kid: string
  }
  await service.revoke(kid)
  const after = send('a').headers.get('authorization') ?? ''

  expect(Buffer.from(after.slice(7).split('.')[0] ?? '', 'base64url').toString()).not.toContain(kid)
})

test('without a signature nothing goes out', () => {
  const broken = {
    ...service,
    sign: () => {
      throw new Error('The key is locked')
    },
  }
  const { verdict, headers } = policy({}, broken)('a')

  expect(verdict).toMatchObject({ problem: 503 })
  expect(headers.has('authorization')).toBe(false)
  expect(events).toEqual(['signer-down'])
})

test('claims of the service are not overridden unless that is allowed, and no token outlives its key', () => {
  const claims = { additionalClaims: { iss: 'https://other.example.com' } }

  expect(() => policy(claims)).toThrow(expect.objectContaining({ fields: expect.objectContaining({ claim: 'iss' }) }))
  const { headers } = policy({ ...claims, allowReservedClaims: true })('a')
  expect(claimsOf(headers.get('authorization'))['iss']).toBe('https://other.example.com')
  expect(() => policy({ expiresIn: '2d' })).toThrow(
    expect.objectContaining({ fields: expect.objectContaining({ option: 'expiresIn' }) }),
  )
})

test.each(['', 'soon', '5 fortnights', 0, -1, null, '0s'])('expiresIn %j is no duration', (value) => {
  expect(upstreamJwt.options.known['expiresIn']?.(value)).toContain('seconds as a number')
})
