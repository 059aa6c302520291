import { beforeEach, expect, test, vi } from 'vitest'
import type { Clock } from '../../clock/clock.ts'
import { movableClock } from '../../clock/clock.ts'
import type { JsonObject } from '../../model/json.ts'
import { exchangeOctets, policy as gatewayPolicy, requestText, statusIn, testGateway } from '../gateway.testing.ts'
import { Headers } from '../headers.ts'
import { seeded } from '../limits/naive.testing.ts'
import { stillClock } from '../limits/still-clock.testing.ts'
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
  return async () => {
    vi.restoreAllMocks()
    await service[Symbol.asyncDispose]()
  }
})

function policy(
  options: Readonly<Record<string, unknown>>,
  tokens: PolicyContext['tokens'] = service,
  time: Clock = clock,
) {
  const context = {
    name: 'jwt',
    clock: time,
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

test.each([1, 2, 3])('a token is kept for its policy, consumer and audience alone, walk %i', async (seed) => {
  const random = seeded(seed)
  const below = (most: number) => Math.floor(random() * most)
  const policies = [
    { options: {}, prefix: 'Bearer ' },
    { options: { audience: 'https://orders.example.com', tokenPrefix: 'JWT', expiresIn: 60 }, prefix: 'JWT ' },
    { options: { additionalClaims: { plan: 'team' }, tokenPrefix: '', expiresIn: '1h' }, prefix: '' },
  ].map((one) => ({ ...one, send: policy(one.options) }))
  const minted = new Map<unknown, string>()
  let kept = 0
  for (let step = 0; step < 3_000; step += 1) {
    if (below(20) === 0) clock.advance(below(120))
    if (below(400) === 0) await service.rotate()
    const { send, options, prefix } = policies[below(3)] ?? { send: policy({}), options: {}, prefix: 'Bearer ' }
    const sub = below(10) === 0 ? undefined : `consumer-${below(6)}`
    const url = `https://api.example.com/orders/${below(6)}`
    const value = send(sub, [], url).headers.get('authorization') ?? ''
    const claims = claimsOf(value)
    const due = `${prefix} ${sub ?? 'api-gateway'} ${options.audience ?? url} ${String(options.additionalClaims?.plan)}`
    const is = `${value.slice(0, value.indexOf('eyJ'))} ${String(claims['sub'])} ${String(claims['aud'])} ${String(claims['plan'])}`
    expect(is).toBe(due)
    // The same token again is for the same policy, consumer and audience.
    expect(minted.get(claims['jti']) ?? due).toBe(due)
    if (minted.has(claims['jti'])) kept += 1
    minted.set(claims['jti'], due)
  }
  expect(kept).toBeGreaterThan(500)
})

test('a token is minted once for all requests that it is for', () => {
  const one = policy({})
  const sign = vi.spyOn(service, 'sign')
  const values = ['a', 'b', 'a', 'b', 'a'].map((sub) => one(sub).headers.get('authorization'))

  expect(new Set(values).size).toBe(2)
  expect(sign).toHaveBeenCalledTimes(2)
})

test.each([2, 10, 60, 300])(
  'a kept token of %i s has half of its life before it whenever it goes out',
  (lifetimeSec) => {
    const still = stillClock()
    const tokens = { ...service, sign: (_: JsonObject, seconds: number) => `eyJ.${still.nowMs()}.${seconds}` }
    const send = policy({ expiresIn: lifetimeSec }, tokens, still)
    const minted = new Set<number>()
    for (let step = 0; step < 400; step += 1) {
      const [, mintedMs = 0] = (send('a').headers.get('authorization') ?? '').split('.').map(Number)
      const expMs = (Math.floor(mintedMs / 1000) + lifetimeSec) * 1000
      if (mintedMs !== still.nowMs()) expect(expMs - still.nowMs()).toBeGreaterThan(lifetimeSec * 500)
      minted.add(mintedMs)
      still.move(lifetimeSec * 7)
    }
    // About twice in each life, and not for every request.
    expect(minted.size).toBeLessThan(20)
    expect(minted.size).toBeGreaterThan(3)
  },
)

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

test('without a signature nothing goes out, and the operator is told once', () => {
  let isLocked = true
  const sign: JwtService['sign'] = (...given) => {
    if (isLocked) throw new Error('The key is locked')
    return service.sign(...given)
  }
  const send = policy({}, { ...service, sign })
  for (let nth = 0; nth < 3; nth += 1) {
    const { verdict, headers } = send('a')
    expect(verdict).toMatchObject({ problem: 503, headers: [['Retry-After', '1']] })
    expect(headers.has('authorization')).toBe(false)
  }
  isLocked = false

  expect(send('a').verdict).toBeUndefined()
  expect(events).toEqual(['signer-down', 'signer-up'])
})

test('a token that is kept goes out while nothing can be signed', () => {
  const sign = vi.spyOn(service, 'sign')
  const send = policy({})
  const before = send('a').headers.get('authorization')
  sign.mockImplementation(() => {
    throw new Error('The key is locked')
  })

  expect(send('a').headers.get('authorization')).toBe(before)
  expect(send('b').verdict).toMatchObject({ problem: 503 })
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

test.each(['iss', 'iat', 'exp', 'jti'])('%s is not overridden by mistake', (claim) => {
  expect(() => policy({ additionalClaims: { [claim]: 'mine' } })).toThrow(
    expect.objectContaining({ code: 'ERR_GATEWAY_PROJECT', fields: expect.objectContaining({ claim }) }),
  )
})

test('a prefix that would break the header is none', () => {
  expect(upstreamJwt.options.known['tokenPrefix']?.('Bearer\r\nX-Admin: yes')).toContain('without control characters')
})

test('whatever the caller sends in that header, in any spelling, the origin gets the token alone', async () => {
  const policies = [
    gatewayPolicy('upstream-zuplo-jwt-auth-inbound', { headerName: 'X-Service-Token', tokenPrefix: '' }),
  ]
  await using one = await testGateway({ policies })
  const lines = ['X-Service-Token', 'x-service-token', 'X_Service_Token', 'x.service.token', 'X-Service_Token']
  const forged = lines.map((name) => `${name}: forged`)
  const text = requestText('GET /r?page=2', [...forged, 'Connection: close, X-Service-Token'])
  expect(statusIn(await exchangeOctets(one.port, text))).toBe(200)
  const [arrival] = one.origin.all()

  expect(arrival?.header('x-service-token')).toEqual([expect.stringMatching(/^eyJ/u)])
  expect(JSON.stringify(arrival?.lines)).not.toContain('forged')
  expect(claimsOf(arrival?.header('x-service-token')[0])).toMatchObject({
    sub: 'api-gateway',
    aud: `${one.gateway.url}/r?page=2`,
  })
})

test.each(['', 'soon', '5 fortnights', 0, -1, null, '0s'])('expiresIn %j is no duration', (value) => {
  expect(upstreamJwt.options.known['expiresIn']?.(value)).toContain('seconds as a number')
})
