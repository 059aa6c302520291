import { describe, expect, test } from 'vitest'
import { exchangeOctets, GUARDED, requestText, route, statusIn, testGateway } from './gateway.testing.ts'
import type { CorsPolicy } from './settings.ts'

const APP = 'https://app.example.com'

const POLICY: CorsPolicy = {
  name: 'test',
  allowedOrigins: [APP, 'https://*.apps.example.com'],
  allowedMethods: ['GET', 'PUT'],
  allowedHeaders: ['Authorization', 'X-Custom'],
  exposeHeaders: ['X-Total', 'zp-rid'],
  maxAgeSec: 600,
  allowCredentials: true,
}

const ANYTHING: CorsPolicy = {
  name: 'anything',
  allowedOrigins: ['*'],
  allowedMethods: ['*'],
  allowedHeaders: ['*'],
  exposeHeaders: ['*'],
  allowCredentials: false,
}

const names = GUARDED.map(({ name }) => name)

/** `GET`, `PUT` and `DELETE /own` have the policy, `GET /any` allows everything, `GET /none` nothing. */
const start = () =>
  testGateway({
    routes: (origin) => [
      ...['GET', 'PUT', 'DELETE'].map((method) => ({ ...route(method, '/own', origin, names), cors: POLICY })),
      { ...route('GET', '/any', origin, []), cors: ANYTHING },
      route('GET', '/none', origin, []),
    ],
  })

/** Lines of an answer that begin so, sorted. */
function linesOf(text: string, prefix: RegExp): readonly string[] {
  const [head = ''] = text.split('\r\n\r\n')
  return head
    .split('\r\n')
    .filter((line) => prefix.test(line))
    .toSorted()
}

const CROSS = /^access-control-|^vary/iu

const preflight = (path: string, origin: string, method: string, headers?: string): string =>
  requestText(`OPTIONS ${path}`, [
    `Origin: ${origin}`,
    `Access-Control-Request-Method: ${method}`,
    ...(headers === undefined ? [] : [`Access-Control-Request-Headers: ${headers}`]),
  ])

describe('a preflight', () => {
  test('that is allowed is answered before any policy, and without the origin', async () => {
    await using one = await start()
    const text = await exchangeOctets(one.port, preflight('/own', APP, 'PUT', 'authorization,x-custom'))

    expect(statusIn(text)).toBe(204)
    expect(linesOf(text, CROSS)).toEqual([
      'Access-Control-Allow-Credentials: true',
      'Access-Control-Allow-Headers: authorization, x-custom',
      'Access-Control-Allow-Methods: PUT',
      `Access-Control-Allow-Origin: ${APP}`,
      'Access-Control-Max-Age: 600',
      'Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    ])
    expect(linesOf(text, /^(?:content-length|transfer-encoding)/iu)).toEqual([])
    expect(linesOf(text, /^zp-rid/iu)).toHaveLength(1)
    expect(one.origin.all()).toEqual([])
  })

  test.each([
    ['of an origin with a label in place of the star', '/own', 'https://one.apps.example.com', 'GET', undefined],
    ['without headers', '/own', APP, 'GET', undefined],
    ['of anybody', '/any', 'https://whoever.example.org', 'GET', 'x-whatever'],
  ])('%s', async (_, path, origin, method, headers) => {
    await using one = await start()
    const text = await exchangeOctets(one.port, preflight(path, origin, method, headers))

    expect(statusIn(text)).toBe(204)
    expect(linesOf(text, /^access-control-allow-origin/iu)).toEqual([`Access-Control-Allow-Origin: ${origin}`])
    expect(linesOf(text, /^access-control-allow-credentials/iu)).toHaveLength(path === '/own' ? 1 : 0)
  })

  test.each([
    ['another origin', '/own', 'https://evil.example.org', 'GET', undefined],
    ['the origin with another scheme', '/own', 'http://app.example.com', 'GET', undefined],
    ['the origin with a port', '/own', `${APP}:8443`, 'GET', undefined],
    ['the origin with something behind', '/own', `${APP}.evil.example.org`, 'GET', undefined],
    ['the origin with something in front', '/own', 'https://evil-app.example.com', 'GET', undefined],
    ['no label in place of the star', '/own', 'https://.apps.example.com', 'GET', undefined],
    ['two labels in place of the star', '/own', 'https://a.b.apps.example.com', 'GET', undefined],
    ['a path in place of the star', '/own', 'https://evil.example.org/.apps.example.com', 'GET', undefined],
    ['an opaque origin', '/own', 'null', 'GET', undefined],
    ['a method that is not allowed', '/own', APP, 'DELETE', undefined],
    ['a method that is not there', '/own', APP, 'PATCH', undefined],
    ['a method in small letters', '/own', APP, 'put', undefined],
    ['a header that is not allowed', '/own', APP, 'GET', 'x-custom, x-other'],
    ['a path without cross-origin rules', '/none', APP, 'GET', undefined],
    ['a path that is not there', '/nowhere', APP, 'GET', undefined],
  ])('for %s is 404', async (_, path, origin, method, headers) => {
    await using one = await start()
    const text = await exchangeOctets(one.port, preflight(path, origin, method, headers))

    expect(statusIn(text)).toBe(404)
    expect(linesOf(text, /^access-control-/iu)).toEqual([])
    expect(one.origin.all()).toEqual([])
  })
})

describe('an answer', () => {
  const PLANTED = [
    ['Access-Control-Allow-Origin', '*'],
    ['access-control-allow-credentials', 'planted'],
    ['Access-Control-Expose-Headers', 'planted'],
    ['X-Total', '7'],
  ] as const

  test.each([
    [
      '/own',
      APP,
      [
        `Access-Control-Allow-Credentials: true`,
        `Access-Control-Allow-Origin: ${APP}`,
        'Access-Control-Expose-Headers: X-Total, zp-rid',
        'Vary: Origin',
      ],
    ],
    ['/own', 'https://evil.example.org', ['Vary: Origin']],
    ['/own', undefined, ['Vary: Origin']],
    [
      '/any',
      'https://evil.example.org',
      ['Access-Control-Allow-Origin: https://evil.example.org', 'Access-Control-Expose-Headers: *', 'Vary: Origin'],
    ],
    ['/none', APP, []],
  ])('of %s to %s has the rules of the gateway, not of the origin', async (path, origin, lines) => {
    await using one = await start()
    one.origin.answer({ headers: PLANTED })
    const given = [`Authorization: Bearer ${one.key}`, ...(origin === undefined ? [] : [`Origin: ${origin}`])]
    const text = await exchangeOctets(one.port, requestText(`GET ${path}`, given))

    expect(statusIn(text)).toBe(200)
    expect(linesOf(text, CROSS)).toEqual(lines)
    expect(linesOf(text, /^x-total/iu)).toEqual(['X-Total: 7'])
  })

  test('that refuses can be read by a script of an allowed origin too', async () => {
    await using one = await start()
    const lines = [`Origin: ${APP}`, 'Connection: close, Origin']
    const text = await exchangeOctets(one.port, requestText('GET /own', lines))

    expect(statusIn(text)).toBe(401)
    expect(linesOf(text, /^access-control-allow-origin/iu)).toEqual([`Access-Control-Allow-Origin: ${APP}`])
  })

  test('to OPTIONS that is no preflight is that of any request', async () => {
    await using one = await start()

    expect(statusIn(await exchangeOctets(one.port, requestText('OPTIONS /own', [`Origin: ${APP}`])))).toBe(404)
  })
})
