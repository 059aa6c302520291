import { expect, test } from 'vitest'
import { Headers } from '../headers.ts'
import { testRequest } from '../policies/policies.testing.ts'
import type { GatewayRequest } from '../request.ts'
import { handlerAt } from './handlers.ts'

const PLACE = { file: 'config/routes.oas.json', at: '/handler' }
const MODULE = '$import(@zuplo/runtime)'

type Options = Readonly<Record<string, unknown>>

const ENVIRONMENT = { BASE: 'https://origin.example.com/base', HOST: 'origin.example.com:8443', V: 'v2', EMPTY: '' }

function handler(exported: string, options: Options) {
  const means = { environment: ENVIRONMENT, params: ['id', 'item', 'order-id'] }
  return handlerAt({ export: exported, module: MODULE, options }, PLACE, means)
}

/** Where a request is sent; the status where it is refused. */
function sent(exported: string, options: Options, given: Partial<GatewayRequest> = {}): string | number {
  const request = testRequest({ path: '/a', url: `https://api.example.com:8080/a${given.search ?? ''}`, ...given })
  const found = handler(exported, options).destination(request)
  return 'problem' in found ? found.problem : found.origin + found.target
}

const forwarded = (baseUrl: string, given?: Partial<GatewayRequest>, options: Options = {}) =>
  sent('urlForwardHandler', { baseUrl, ...options }, given)

const rewritten = (rewritePattern: string, given?: Partial<GatewayRequest>, options: Options = {}) =>
  sent('urlRewriteHandler', { rewritePattern, ...options }, given)

test.each([
  ['https://origin.example.com', 'https://origin.example.com/a'],
  ['https://origin.example.com/', 'https://origin.example.com/a'],
  ['HTTP://Origin.Example.Com:80/Base/', 'http://origin.example.com/Base/a'],
  ['https://origin.example.com/folder', 'https://origin.example.com/folder/a'],
  ['${env.BASE}', 'https://origin.example.com/base/a'],
  ['$env(BASE)', 'https://origin.example.com/base/a'],
  ['https://${env.HOST}/${env.V}', 'https://origin.example.com:8443/v2/a'],
  ['https://${ env.HOST }${env["EMPTY"]}', 'https://origin.example.com:8443/a'],
  ['https://[::1]:8080/x', 'https://[::1]:8080/x/a'],
])('forwards to %s', (base, due) => {
  expect(forwarded(base)).toBe(due)
})

test('forwards path and query octet by octet', () => {
  const path = "/%7euser/%C3%A9;v=1/*!'()@:&=+$,/a//"
  const search = '?a=1&a=2&b=%2F&c=a+b&d&=&%zz'
  expect(forwarded('https://origin.example.com/x', { path, search })).toBe(
    `https://origin.example.com/x${path}${search}`,
  )
  expect(forwarded('https://origin.example.com/x', { path, search }, { forwardSearch: false })).toBe(
    `https://origin.example.com/x${path}`,
  )
})

test('a base may hold values, each in its place', () => {
  expect(forwarded('https://origin.example.com/${params.id}', { params: { id: 'a/b' }, search: '?q' })).toBe(
    'https://origin.example.com/a%2Fb/a?q',
  )
  expect(forwarded('https://origin.example.com/${params.id}/', { params: { id: '..' } })).toBe(400)
})

test.each([
  ['https://origin.example.com', 'https://origin.example.com/?q=1'],
  ['https://origin.example.com/fixed', 'https://origin.example.com/fixed?q=1'],
  ['https://origin.example.com/fixed/?x=1', 'https://origin.example.com/fixed/?x=1&q=1'],
  ['https://origin.example.com?x=1', 'https://origin.example.com/?x=1&q=1'],
  ['https://origin.example.com${pathname}', 'https://origin.example.com/a?q=1'],
  ['https://origin.example.com/${pathname}', 'https://origin.example.com/a?q=1'],
  ['https://origin.example.com/${pathname}${search}', 'https://origin.example.com/a?q=1'],
  ['https://origin.example.com/v2/${pathname}', 'https://origin.example.com/v2/a?q=1'],
  ['https://origin.example.com${pathname}/more', 'https://origin.example.com/a/more?q=1'],
  ['${env.BASE}${pathname}${search}', 'https://origin.example.com/base/a?q=1'],
  ['https://origin.example.com${search}', 'https://origin.example.com/?q=1'],
  ['https://origin.example.com/?p=${pathname}', 'https://origin.example.com/?p=%2Fa&q=1'],
  ['https://origin.example.com/?s=${search}', 'https://origin.example.com/?s=%3Fq%3D1&q=1'],
  ['https://origin.example.com/${params.id}', 'https://origin.example.com/7?q=1'],
  ['https://origin.example.com/${params["order-id"]}', 'https://origin.example.com/8?q=1'],
  ['https://origin.example.com/${request.params.id}', 'https://origin.example.com/7?q=1'],
  ['https://origin.example.com/${e(params.id)}/x', 'https://origin.example.com/7/x?q=1'],
  ['https://origin.example.com/${encodeURIComponent( params.id )}', 'https://origin.example.com/7?q=1'],
  ['https://origin.example.com/${query.q}', 'https://origin.example.com/1?q=1'],
  ['https://origin.example.com/?type=${query.none}', 'https://origin.example.com/?type=&q=1'],
  ['https://origin.example.com/${headers.get("X-Plan")}', 'https://origin.example.com/gold?q=1'],
  ['https://origin.example.com/${method}/${request.method}', 'https://origin.example.com/GET/GET?q=1'],
  ['https://origin.example.com/${host}', 'https://origin.example.com/api.example.com:8080?q=1'],
  ['https://origin.example.com/${hostname}/${port}', 'https://origin.example.com/api.example.com/8080?q=1'],
  ['https://origin.example.com/${protocol}', 'https://origin.example.com/https:?q=1'],
  ['https://origin.example.com/?u=${origin}', 'https://origin.example.com/?u=https:%2F%2Fapi.example.com:8080&q=1'],
  [
    'https://origin.example.com/?u=${url}',
    'https://origin.example.com/?u=https:%2F%2Fapi.example.com:8080%2Fa%3Fq%3D1&q=1',
  ],
  ['https://origin.example.com/${request.user.sub}', 'https://origin.example.com/consumer-1?q=1'],
  ['https://origin.example.com/${request.user?.data.team.name}', 'https://origin.example.com/a%20b?q=1'],
  ['https://origin.example.com/?n=${request.user.data.seats}', 'https://origin.example.com/?n=3&q=1'],
  ['https://origin.example.com/?r=${context.requestId}', 'https://origin.example.com/?r=id-1&q=1'],
])('rewrites to %s', (pattern, due) => {
  const given = {
    id: 'id-1',
    search: '?q=1',
    params: { id: '7', 'order-id': '8' },
    headers: new Headers(['x-plan', 'gold']),
    user: { sub: 'consumer-1', data: { team: { name: 'a b' }, seats: 3 } },
  }
  expect(rewritten(pattern, given)).toBe(due)
})

test('the query of the request is left out where the project says so', () => {
  const given = { search: '?q=1' }
  expect(rewritten('https://origin.example.com/x', given, { forwardSearch: false })).toBe(
    'https://origin.example.com/x',
  )
  expect(rewritten('https://origin.example.com/x${search}', given, { forwardSearch: false })).toBe(
    'https://origin.example.com/x?q=1',
  )
})

const HOSTILE = [
  '/',
  '//evil.example.com',
  '@evil.example.com',
  ':443',
  '\\',
  '?a=1',
  '#f',
  '&admin=1',
  ';v=1',
  '%2e%2e',
  '%2f',
  '../x',
  'a\r\nX-Injected: 1',
  'a b',
  '\t',
  '\u0000',
  'é',
  '😀',
  '\uD800',
  '+',
  '=',
  '"<>`{|}^',
]

test.each(HOSTILE)('a value cannot leave its place: %j', (value) => {
  const path = rewritten('https://origin.example.com/x/${params.id}/y', { params: { id: value } })
  const query = rewritten('https://origin.example.com/x?a=${params.id}&b=2', { params: { id: value } })
  const whole = value.toWellFormed()
  expect(String(path)).toMatch(/^https:\/\/origin\.example\.com\/x\/[\w.~!$'()*,:@%-]+\/y$/u)
  expect(decodeURIComponent(new URL(String(path)).pathname.split('/')[2] ?? '')).toBe(whole)
  expect([...new URL(String(query)).searchParams]).toEqual([
    ['a', whole],
    ['b', '2'],
  ])
})

test.each([
  ['/${params.id}', '.'],
  ['/${params.id}', '..'],
  ['/x/${params.id}/y', '..'],
  ['/x/.${params.id}', '.'],
  ['/x/${params.id}.', '.'],
  ['/x/${params.id}${params.item}', '.'],
  ['/x/${params.id}', ''],
  ['/x/${params.id}.json', ''],
  ['/x/${query.id}', 'x'],
  ['/x/${headers.get("id")}', 'x'],
  ['/x/${request.user.sub}', 'x'],
  ['/x/${request.user.data.team}', 'x'],
  ['/x/${context.custom.team}', 'x'],
])('a value makes no other path of %s', (pattern, value) => {
  const params = { id: value, item: value }
  expect(rewritten(`https://origin.example.com${pattern}`, { params })).toBe(400)
})

test('dots that are part of a name are a name', () => {
  const at = (id: string) => rewritten('https://origin.example.com/x/${params.id}', { params: { id } })
  expect([at('...'), at('.git'), at('a..b')]).toEqual(
    ['...', '.git', 'a..b'].map((name) => `https://origin.example.com/x/${name}`),
  )
  expect(rewritten('https://origin.example.com/x?p=${params.id}', { params: { id: '..' } })).toBe(
    'https://origin.example.com/x?p=..',
  )
})

test('what is inherited is no value', () => {
  const user = { sub: 'consumer-1', data: {} }
  expect(rewritten('https://origin.example.com/x?a=${request.user.data.constructor.name}', { user })).toBe(
    'https://origin.example.com/x?a=',
  )
})

test.each(['https://origin.example.com\\@evil.example.com', 'https://origin.ex\tample.com', 'https://ex ample.com'])(
  'a host that can be read in two ways is none: %j',
  (baseUrl) => {
    expect(() => handler('urlForwardHandler', { baseUrl })).toThrow('This is no absolute http or https URL')
  },
)

test('redirects are followed where the project says so', () => {
  expect(handler('urlForwardHandler', { baseUrl: 'https://a.example.com' }).followRedirects).toBe(false)
  const options = { rewritePattern: 'https://a.example.com', followRedirects: true }
  expect(handler('urlRewriteHandler', options).followRedirects).toBe(true)
})
