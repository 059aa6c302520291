import { describe, expect, test } from 'vitest'
import { exchangeOctets, matching, requestText, route, statusIn, testGateway } from './gateway.testing.ts'
import { canonical, routeTable } from './routing.ts'
import type { RouteSettings } from './settings.ts'

const ORIGIN = 'http://127.0.0.1:9'

const tableOf = (...settings: readonly RouteSettings[]) =>
  routeTable(settings.map((one) => ({ ...one, policies: [], credentials: new Set<string>() })))

const open = (pattern: string, method = 'GET') => route(method, pattern, ORIGIN, [])

const urlPattern = (pattern: string, method = 'GET') => matching(open(pattern, method))

/** Method and path of the route that a request fits, and the values of its parameters. */
function found(table: ReturnType<typeof tableOf>, path: string, method = 'GET') {
  const match = table.find(method, path)
  return match && [match.route.path.pattern, match.params]
}

describe('a template', () => {
  const table = tableOf(
    open('/orders'),
    open('/orders/{id}'),
    open('/orders/{id}/items/{item}.json'),
    open('/a.b(c)+[d]$^|*/x'),
  )

  test.each([
    ['/orders', '/orders', {}],
    ['/orders/7', '/orders/{id}', { id: '7' }],
    ['/orders/a%20b', '/orders/{id}', { id: 'a b' }],
    ['/orders/caf%C3%A9%3F', '/orders/{id}', { id: 'café?' }],
    ['/orders/;a=b', '/orders/{id}', { id: ';a=b' }],
    ['/orders/__proto__', '/orders/{id}', { id: '__proto__' }],
    ['/orders/7/items/8.json', '/orders/{id}/items/{item}.json', { id: '7', item: '8' }],
    ['/orders/7/items/8.json.json', '/orders/{id}/items/{item}.json', { id: '7', item: '8.json' }],
    ['/a.b(c)+[d]$^|*/x', '/a.b(c)+[d]$^|*/x', {}],
  ])('fits %s', (path, pattern, params) => {
    expect(found(table, path)).toEqual([pattern, params])
  })

  test.each([
    '/',
    '/orders/',
    '/Orders',
    '/orders/7/',
    '/orders/7/8',
    '/orders/%zz',
    '/orders/%c3',
    '/orders/7/items/.json',
    '/orders/7/items/8xjson',
    '/x/orders',
    '/aXb(c)+[d]$^|*/x',
  ])('does not fit %s', (path) => {
    expect(found(table, path)).toBeUndefined()
  })

  test('is one for its method alone', () => {
    expect(['POST', 'HEAD', 'OPTIONS', 'get'].map((method) => found(table, '/orders', method))).toEqual(
      Array.from({ length: 4 }),
    )
  })

  test('with a parameter called __proto__ gives it as any other', () => {
    const { params } = tableOf(open('/x/{__proto__}')).find('GET', '/x/7') ?? {}

    expect(Object.entries(params ?? {})).toEqual([['__proto__', '7']])
  })
})

describe('a URL pattern', () => {
  const table = tableOf(urlPattern('/files/*'), urlPattern('/users/:id'), urlPattern('/v:major(\\d+){.:minor}?/x'))

  test.each([
    ['/files/', '/files/*', { 0: '' }],
    ['/files/a/b%20c', '/files/*', { 0: 'a/b c' }],
    ['/users/7', '/users/:id', { id: '7' }],
    ['/v1/x', '/v:major(\\d+){.:minor}?/x', { major: '1', minor: '' }],
    ['/v1.2/x', '/v:major(\\d+){.:minor}?/x', { major: '1', minor: '2' }],
  ])('fits %s', (path, pattern, params) => {
    expect(found(table, path)).toEqual([pattern, params])
  })

  test.each(['/files', '/files/%zz', '/Files/a', '/users/', '/users/7/8', '/vx/x'])('does not fit %s', (path) => {
    expect(found(table, path)).toBeUndefined()
  })

  test('that is none stops the start', () => {
    expect(() => tableOf(urlPattern('/(('))).toThrow('The path is no URL pattern')
  })
})

test('the first route that fits wins, whatever its kind', () => {
  const routes = [open('/a/b'), open('/a/{x}'), urlPattern('/a/*'), open('/a/c'), open('/{y}/d'), open('/a/d')]
  const table = tableOf(...routes)

  expect(['/a/b', '/a/c', '/a/d/e', '/z/d'].map((path) => found(table, path)?.[0])).toEqual([
    '/a/b',
    '/a/{x}',
    '/a/*',
    '/{y}/d',
  ])
  expect(found(tableOf(...routes.toReversed()), '/a/c')?.[0]).toBe('/a/c')
  expect(found(tableOf(...routes.toReversed()), '/a/b')?.[0]).toBe('/a/*')
})

test('all routes at a path, in their order', () => {
  const table = tableOf(open('/a', 'POST'), urlPattern('/*'), open('/a'), open('/b'))

  expect(table.at('/a').map(({ where }) => where)).toEqual(['POST /a', 'GET /*', 'GET /a'])
  expect(table.at('x')).toEqual([])
})

describe('a path that a lenient origin takes for a guarded one', () => {
  const guarded = (pattern: string, method = 'GET') => route(method, pattern, ORIGIN, ['key', 'token'])
  const table = tableOf(
    guarded('/admin'),
    guarded('/Reports/'),
    guarded('/orders/{id}'),
    guarded('/lists/{id}/'),
    matching(guarded('/files/*')),
    open('/Admin/'),
    open('/admin/{page}'),
    route('GET', '/orders/{id}/notes', ORIGIN, ['token', 'key', 'limit']),
    route('POST', '/*', ORIGIN, []),
    urlPattern('/*'),
  )

  test.each([
    '/ADMIN',
    '/admin/',
    '/admin.',
    '/admin..',
    '/admin%20',
    '/admin;a=b',
    '/admin/;a=b',
    '/admin%3Ba',
    '/;a/admin',
    '/admin%3Fx',
    '/admin%23x',
    '/reports',
    '/REPORTS;a/',
    '/Orders/7',
    '/orders/7/',
    '/orders/7/;a',
    '/lists/7',
    '/LISTS/7.',
    '/Files/a/b',
    '/files',
    '/files;a/b',
  ])('%s fits none', (path) => {
    expect(found(table, path)).toBeUndefined()
  })

  test.each([
    ['/admin', '/admin'],
    ['/Admin/', '/Admin/'],
    ['/admin/Users', '/admin/{page}'],
    ['/orders/ABC;v=1', '/orders/{id}'],
    ['/orders/7/notes', '/orders/{id}/notes'],
    ['/Orders', '/*'],
    ['/Welcome/', '/*'],
    ['/files/A.', '/files/*'],
  ])('but %s fits %s', (path, pattern) => {
    expect(found(table, path)?.[0]).toBe(pattern)
  })

  test('counts for its method alone, and not where the policies are the same', () => {
    const same = tableOf(guarded('/users/me'), guarded('/users/{name}'), route('POST', '/users/{name}', ORIGIN, []))

    expect(found(same, '/users/Me')).toEqual(['/users/{name}', { name: 'Me' }])
    expect(found(same, '/users/Me', 'POST')).toEqual(['/users/{name}', { name: 'Me' }])
  })

  test('is 404, and never seen there', async () => {
    const routes = (origin: string) => [
      route('GET', '/r', origin, ['api-key-inbound']),
      matching(route('GET', '/*', origin, [])),
    ]
    await using one = await testGateway({ routes })
    const ask = async (path: string) => statusIn(await exchangeOctets(one.port, requestText(`GET ${path}`)))

    expect(await Promise.all(['/r', '/R', '/r;a=b', '/%72/', '/x'].map(ask))).toEqual([401, 404, 404, 404, 200])
    expect(one.origin.all().map(({ target }) => target)).toEqual(['/x'])
  })
})

test('a declared path is found however it was spelt', () => {
  const table = tableOf(open('/caf%c3%a9'), open('/%7Euser'), open('/a%2Db/{id}'))

  expect(['/caf%C3%A9', '/~user', '/a-b/%37'].map((path) => found(table, canonical(path))?.[1])).toEqual([
    {},
    {},
    { id: '7' },
  ])
})

test('a canonical path has nothing percent-encoded that need not be', () => {
  const all = Array.from({ length: 128 }, (_, octet) => octet)
  const encoded = (octet: number): string => `%${octet.toString(16).padStart(2, '0')}`
  const plain = all.filter((octet) => canonical(encoded(octet)).length === 1).map((octet) => String.fromCharCode(octet))

  expect(plain.join('')).toBe('-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~')
  for (const octet of all)
    expect([encoded(octet).toUpperCase(), String.fromCharCode(octet)]).toContain(canonical(encoded(octet)))
  expect(canonical('/caf%c3%a9/%2f%20')).toBe('/caf%C3%A9/%2F%20')
})
