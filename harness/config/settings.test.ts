import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { sentence } from '../model/errors.ts'
import { configSchema } from './config-shape.ts'
import { defineChain, defineGateway, defineOrigin } from './define.ts'
import { ConfigurationError } from './mistakes.ts'
import { BASELINE_SCHEMA_FILE, baselineSchemaText, SCHEMA_FILE, schemaText } from './schema-file.ts'
import { settingsOf } from './settings.ts'

const ROUTE = { path: '/limited', methods: ['GET', 'POST'] } as const
const SECRET = 'tsk_never-shown-to-anybody-0001'

const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(configSchema())

/** The sentences for a configuration, without what they share. */
function sentencesOf(config: unknown, env: NodeJS.ProcessEnv = {}): readonly string[] {
  try {
    settingsOf(config, 'FILE', env)
    return []
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return error.all.map((one) => {
      expect(one.code).toBe('ERR_PROFILE_INVALID')
      return sentence(one).replace('The configuration is wrong (where FILE, member ', '(')
    })
  }
}

const gateway = (members: object): object => ({ subject: 'gateway', ...members })
const origin = (members: object): object => ({ subject: 'origin', ...members })

/** What a schema can see, with the sentence for it. */
const SEEN: readonly (readonly [unknown, string])[] = [
  [gateway({ algoritms: ['ES256'] }), '(algoritms); instead: a known member; the nearest one is "algorithms".'],
  [
    gateway({ url: 'localhost:8080' }),
    '(url, given a text); instead: a URL that starts with http:// or https://, without credentials in it.',
  ],
  [gateway({ url: 'http://me:secret@127.0.0.1/x' }), '(url, given a text); instead: a URL that starts'],
  [gateway({ capturePort: '9001' }), '(capturePort, given "9001"); instead: a port: a whole number from 1 to 65535.'],
  [gateway({ capturePort: 70_000 }), '(capturePort, given 70000); instead: a port'],
  [gateway({ scannerPort: 1.5 }), '(scannerPort, given 1.5); instead: a port'],
  [
    gateway({ keyLocations: [] }),
    '(keyLocations, given a list of 0); instead: a list of places such as {"in": "header", "name": "X-API-Key"}.',
  ],
  [
    gateway({ keyLocations: [{ in: 'headers', name: 'X' }] }),
    '(keyLocations[0].in, given "headers"); instead: "header", one of header, query, cookie, body.',
  ],
  [
    gateway({ keyLocations: [{ in: 'header' }] }),
    '(keyLocations[0].name, given nothing); instead: a text that is not empty.',
  ],
  [gateway({ keys: SECRET }), '(keys, given a text); instead: a list of keys: "…", or {"key": "…"'],
  [gateway({ keys: [{ kye: SECRET }] }), '(keys[0].key, given nothing); instead: a text that is not empty.'],
  [gateway({ keys: [''] }), '(keys[0], given an empty text); instead: a text that is not empty.'],
  [gateway({ keys: [7] }), '(keys[0], given 7); instead: "…", or {"key": "…"'],
  [gateway({ pairOfKeys: [SECRET] }), '(pairOfKeys, given a list of 1); instead: a list of two keys of one consumer.'],
  [
    gateway({ routes: [{ path: 'orders', methods: ['GET'] }] }),
    '(routes[0].path, given "orders"); instead: a path that begins with /, without a query.',
  ],
  [
    gateway({ routes: [{ path: '/orders?a=1', methods: ['GET'] }] }),
    '(routes[0].path, given "/orders?a=1"); instead: a path',
  ],
  [
    gateway({ routes: [{ path: '/orders', methods: [] }] }),
    '(routes[0].methods, given a list of 0); instead: a list of 1 texts or more.',
  ],
  [
    gateway({ routes: [{ path: '/orders', methods: ['GET'], origin: 3 }] }),
    '(routes[0].origin, given 3); instead: 1 or 2: which capture origin.',
  ],
  [
    gateway({ limits: [{ route: ROUTE, scope: 'consumer', requests: 10, windowSec: '2s' }] }),
    '(limits[0].windowSec, given "2s"); instead: seconds as a number, more than 0.',
  ],
  [
    gateway({ limits: [{ route: ROUTE, scope: 'user', requests: 10, windowSec: 2 }] }),
    '(limits[0].scope, given "user"); instead: "',
  ],
  [
    gateway({ limits: [{ route: ROUTE, scope: 'key', requests: 0, windowSec: 2 }] }),
    '(limits[0].requests, given 0); instead: a whole number, 1 or more.',
  ],
  [
    gateway({ quota: { route: ROUTE, requests: 10, windowSec: 60, status: 200 } }),
    '(quota.status, given 200); instead: a status: a whole number from 400 to 599.',
  ],
  [gateway({ algorithms: ['RS257'] }), '(algorithms[0], given "RS257"); instead: "RS256", an algorithm out of RS256,'],
  [gateway({ jti: 'yes' }), '(jti, given "yes"); instead: true or false.'],
  [gateway({ forwardedPolicy: 'keep' }), '(forwardedPolicy, given "keep"); instead: "'],
  [
    gateway({ token: { header: 'Authorization' } }),
    '(token.scheme, given nothing); instead: a scheme such as "Bearer", or "" for none.',
  ],
  [
    gateway({ hooks: { issueKeys: 'x' } }),
    '(hooks.issueKeys); instead: a known member; the nearest one is "issueKey".',
  ],
  [
    gateway({ hooks: { revokeKey: 'revoke {key}' } }),
    '(hooks.revokeKey, given a text); instead: a command that gets the key in the variable KEY, and has no {key} on its command line.',
  ],
  [
    gateway({ hooks: { revokeKey: { comand: 'x' } } }),
    '(hooks.revokeKey, given an object); instead: "a command", {"command": "…"} or {"url": "http://…"}.',
  ],
  [
    gateway({ hooks: { restart: { command: 'x', timeoutSec: 0 } } }),
    '(hooks.restart.timeoutSec, given 0); instead: seconds from 0.1 to 600.',
  ],
  [
    gateway({ hooks: { issueKey: { url: 'http://127.0.0.1/keys', wishes: ['expiresIn'] } } }),
    '(hooks.issueKey.wishes[0], given "expiresIn"); instead: "expiresInSec", one of like, expiresInSec,',
  ],
  [
    gateway({ hooks: { issueKey: { url: 'http://127.0.0.1/keys', result: { key: 'data.key' } } } }),
    '(hooks.issueKey.result.key, given "data.key"); instead: a JSON pointer such as "/data/apiKey".',
  ],
  [gateway({ hooks: { keyStoreDown: { down: 'x' } } }), '(hooks.keyStoreDown.up, given nothing); instead: "a command"'],
  [
    gateway({ hooks: { logs: ['x'] } }),
    '(hooks.logs, given a list); instead: "a command", {"command": "…"} or {"url": "http://…"}.',
  ],
  [
    gateway({ secretScanning: { path: '/alerts' } }),
    '(secretScanning.type, given nothing); instead: a text that is not empty.',
  ],
  [gateway({ instances: ['127.0.0.1:81'] }), '(instances[0], given a text); instead: a URL'],
  [
    gateway({ concurrency: { requests: 5 } }),
    '(concurrency.route, given nothing); instead: {"path": "/orders", "methods": ["GET", "POST"]}.',
  ],
  [origin({ leewaySec: '60' }), '(leewaySec, given "60"); instead: seconds as a number, 0 or more.'],
  [origin({ subjects: ['one'] }), '(subjects, given a list of 1); instead: a list of 2 texts or more.'],
  [origin({ audience: 7 }), '(audience, given 7); instead: a text that is not empty, or null.'],
  [origin({ jwks: { workers: 0 } }), '(jwks.workers, given 0); instead: a whole number, 1 or more.'],
  [
    origin({ jwks: { mode: 'statc' } }),
    '(jwks.mode, given "statc"); instead: "static", one of static, discovery, per-kid, pinned.',
  ],
  [origin({ claims: { tier: null } }), '(claims.tier, given null); instead: a text, a number, or true or false.'],
  [origin({ apiKey: { key: SECRET, headers: [{ nam: 'X' }] } }), '(apiKey.headers[0].name, given nothing); instead:'],
  [origin({ hooks: {} }), '(hooks); instead: a known member;'],
  [{ subject: 'chain', gateway: {} }, '(origin, given nothing); instead: the configuration of an origin.'],
  [{ subject: 'chain', gateway: { limits: 5 }, origin: {} }, '(gateway.limits, given 5); instead: a list of limits'],
  [{ subject: 'chain', gateway: { subject: 'origin' }, origin: {} }, '(gateway.subject, given "origin"); instead:'],
  [
    { subject: 'gatway' },
    '(subject, given "gatway"); instead: "gateway", one of "gateway", "origin" and "chain", or defineGateway,',
  ],
  [
    {},
    '(subject, given nothing); instead: one of "gateway", "origin" and "chain", or defineGateway, defineOrigin or defineChain around it.',
  ],
  ['gateway', '(the whole, given a text); instead: an object, such as defineGateway({ … }) makes.'],
  [undefined, '(the whole, given nothing); instead: an object'],
]

/** What only all members together show. */
const UNSEEN: readonly (readonly [unknown, string])[] = [
  [gateway({ keys: [SECRET, { key: SECRET }] }), '(keys[1], given the same key as keys[0]); instead: each key once.'],
  [
    gateway({ keys: [SECRET], revokedKeys: [SECRET] }),
    '(revokedKeys[0], given the same key as keys[0]); instead: each key once.',
  ],
  [
    gateway({ keys: ['${NO_SUCH_KEY}'] }),
    '(keys[0], given the variable NO_SUCH_KEY, which is not set); instead: a value for NO_SUCH_KEY in the environment.',
  ],
  [
    gateway({ keyFormat: { pattern: '(' } }),
    '(keyFormat.pattern, given a text); instead: a regular expression for the whole of a key.',
  ],
  [
    gateway({ routes: [ROUTE], limits: [{ route: ROUTE, scope: 'key', requests: 5, windowSec: 2 }] }),
    '(limits[0].route.path, given "/limited"); instead: a path that is not in "routes", since the limit is used up there.',
  ],
  [
    gateway({ routes: [ROUTE], authFailures: { attempts: 5, windowSec: 60, route: ROUTE } }),
    '(authFailures.route.path, given "/limited"); instead: a path that is not in "routes"',
  ],
  [
    gateway({ routes: [ROUTE], quota: { route: ROUTE, requests: 5, windowSec: 60 } }),
    '(quota.route.path, given "/limited"); instead:',
  ],
  [
    gateway({ capturePort: 9001, secondCapturePort: 9001 }),
    '(secondCapturePort, given 9001); instead: another port than capturePort.',
  ],
  [
    { subject: 'chain', gateway: { keys: [SECRET, SECRET] }, origin: {} },
    '(gateway.keys[1], given the same key as keys[0]); instead: each key once.',
  ],
]

describe('one sentence for a mistake', () => {
  test.each(SEEN)('%j', (config, said) => {
    const [first, ...others] = sentencesOf(config)

    expect(first).toContain(said)
    expect(others.filter((one) => !one.includes('a known member'))).toEqual([])
    expect(validate(config)).toBe(false)
  })

  test.each(UNSEEN)('%j', (config, said) => {
    expect(sentencesOf(config)).toEqual([expect.stringContaining(said)])
  })

  test.each([...SEEN, ...UNSEEN])('no secret is told of %j', (config) => {
    expect(sentencesOf(config).join('\n')).not.toMatch(/never-shown|secret@/u)
    expect(sentencesOf(config).every((one) => one.endsWith('.') && !one.includes('\n'))).toBe(true)
  })
})

test('several mistakes are told at once, ten at most', () => {
  expect(sentencesOf(gateway({ jti: 1, typ: 2, issuer: '' }))).toHaveLength(3)
  expect(sentencesOf(gateway({ keys: Array.from({ length: 30 }, () => 1) }))).toHaveLength(10)
})

test('what is right is taken, with keys from the environment and consumers made up', () => {
  const config = defineGateway({
    url: 'http://127.0.0.1:8080/orders',
    keys: ['${FIRST}', { key: 'k-2', consumer: 'acme', subject: 's' }],
    spareKeys: ['k-3', 'k-4'],
    pairOfKeys: ['k-5', 'k-6'],
    entitlement: { route: { path: '/reports', methods: ['GET'] }, otherKeys: ['k-7'] },
    capturePort: 9001,
    maxLifetimeSec: 60,
    hooks: {
      restart: 'systemctl restart gateway',
      keyStoreDown: { down: 'stop', up: { command: 'start', timeoutSec: 5 } },
      signerDown: 'signer "$ACTION"',
      revokeKey: 'revoke "${KEY}"',
      issueKey: {
        url: 'http://127.0.0.1:9/keys',
        body: { consumer: '${CONSUMER}' },
        wishes: ['like'],
        result: { key: '' },
      },
    },
  })
  const settings = settingsOf(config, 'FILE', { FIRST: 'k-1' })

  expect(validate(config)).toBe(true)
  expect(settings).toMatchObject({
    subject: 'gateway',
    gateway: {
      url: 'http://127.0.0.1:8080/orders',
      ports: { capture: 9001 },
      profile: {
        maxLifetimeSec: 60,
        keys: [
          { key: 'k-1', consumer: 'consumer-1' },
          { key: 'k-2', consumer: 'acme', subject: 's' },
        ],
        spareKeys: [
          { key: 'k-3', consumer: 'spare-1' },
          { key: 'k-4', consumer: 'spare-2' },
        ],
        pairOfKeys: [
          { key: 'k-5', consumer: 'pair' },
          { key: 'k-6', consumer: 'pair' },
        ],
        entitlement: { otherKeys: [{ key: 'k-7', consumer: 'other-1' }] },
      },
    },
  })
  expect(Object.keys(settings.subject === 'gateway' ? settings.gateway.profile : {})).not.toContain('subject')
})

test('an origin is started or reached, and one that is in a chain is reached', () => {
  const started = { subject: 'origin', exec: 'node app.js', path: '/orders' }
  expect(settingsOf(started, 'FILE', {})).toEqual({
    subject: 'origin',
    gate: {},
    origin: { exec: 'node app.js', path: '/orders', profile: {} },
  })
  const url = 'http://127.0.0.1:1/x'
  for (const [member, wrong] of [
    ['url', { ...started, url }],
    ['clockUrl', { ...started, clockUrl: url }],
    ['path', { subject: 'origin', path: '/x' }],
    ['path', { ...started, path: 'x' }],
    ['origin.exec', { subject: 'chain', gateway: { url }, origin: { exec: 'node app.js' } }],
  ] as const) {
    const tried = (): unknown => settingsOf(wrong, 'FILE', {})
    expect(tried).toThrow(expect.objectContaining({ fields: expect.objectContaining({ member }) as unknown }))
  }
})

test('an origin and a chain are taken, the chain of parts that are defined by themselves', () => {
  const whole = defineOrigin({ url: 'http://127.0.0.1:1/x', issuerPort: 9100, audience: null, claims: { tier: '' } })
  const chain = defineChain({ gateway: defineGateway({ keys: ['k'] }), origin: whole, tapPort: 9002 })

  expect([validate(whole), validate(chain)]).toEqual([true, true])
  expect(settingsOf(whole, 'FILE', {})).toEqual({
    subject: 'origin',
    gate: {},
    origin: {
      url: 'http://127.0.0.1:1/x',
      issuerPort: 9100,
      profile: { audience: null, claims: { tier: '' } },
    },
  })
  expect(settingsOf(chain, 'FILE', {})).toMatchObject({
    subject: 'chain',
    tapPort: 9002,
    gateway: { profile: { keys: [{ key: 'k' }] } },
    origin: { issuerPort: 9100, profile: { audience: null } },
  })
})

test('a configuration says what fails a run, for the whole of it', () => {
  const gate = { edition: '2026.1', baseline: 'known.json', failOn: ['should', 'inconclusive'] } as const
  const configs = [
    defineGateway({ keys: ['k'], ...gate }),
    defineOrigin({ ...gate, audience: null }),
    defineChain({ gateway: {}, origin: {}, ...gate }),
  ]
  for (const config of configs) {
    expect(validate(config)).toBe(true)
    const settings = settingsOf(config, 'FILE', {})
    expect(settings.gate).toEqual(gate)
    if (settings.subject === 'origin') expect(settings.origin.profile).toEqual({ audience: null })
  }
  const part = sentencesOf({ subject: 'chain', gateway: { edition: '2026.1' }, origin: {} })
  expect(part[0]).toContain('(gateway.edition); instead: a known member')
  expect(sentencesOf(origin({ edition: 'latest', failOn: ['shuold'] }))).toEqual([
    '(edition, given "latest"); instead: the name of an edition such as "2026.1".',
    expect.stringContaining('(failOn[0], given "shuold"); instead: "should", one of never, must, should,'),
  ])
})

test('the published schemas are those of the checks: node harness/config/write-schema.ts', () => {
  expect(JSON.parse(readFileSync(SCHEMA_FILE, 'utf8'))).toEqual(JSON.parse(schemaText()))
  expect(JSON.parse(readFileSync(BASELINE_SCHEMA_FILE, 'utf8'))).toEqual(JSON.parse(baselineSchemaText()))
})
