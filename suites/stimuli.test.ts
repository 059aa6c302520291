import { createPublicKey, verify } from 'node:crypto'
import { compactVerify, importJWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { embeddedKeys } from '../fixtures/keys/keys.ts'
import { selfSignedCertificate } from '../harness/issuer/certificate.ts'
import { encryptJwe } from '../harness/issuer/jwe.ts'
import { createMint } from '../harness/issuer/mint.ts'
import type { OriginBench } from '../harness/model/bench.ts'
import { octets, segmentsOf } from '../harness/model/compact.ts'
import type { Answer, Probe } from '../harness/model/http.ts'
import type { JsonObject } from '../harness/model/json.ts'
import type { Algorithm, KeyRole, Token } from '../harness/model/token.ts'
import { SUITES } from './catalog.ts'

const store = embeddedKeys()
const ALL: readonly Algorithm[] = ['RS256', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const CASES = SUITES.filter(({ id }) => ['origin/signature', 'origin/format'].includes(id)).flatMap((suite) =>
  suite.cases.map((item) => ({ id: `${suite.id}/${item.id}`, case: item })),
)
const ANSWER: Answer = {
  outcome: 'refused',
  status: 401,
  headers: [],
  header: () => [],
  body: '',
  ms: 1,
  connection: 1,
}

interface Setting {
  readonly algorithms?: readonly Algorithm[]
  /** Whether the origin trusts the issuer; otherwise nothing is there but a token. */
  readonly issuer?: boolean
  readonly fetches?: readonly string[]
}

interface Sent {
  readonly stimuli: readonly (readonly [name: string, what: Token | Probe])[]
  readonly judged: readonly boolean[]
}

/** Runs a case against nothing, and keeps what it would have sent to be refused or survived. */
async function sentBy(id: string, { algorithms = ALL, issuer = true, fetches = [] }: Setting = {}): Promise<Sent> {
  const found = CASES.find((entry) => entry.id === id)
  if (!found) throw new Error(`No such case: ${id}`)
  const main = store.get((algorithms[0] ?? 'RS256') as KeyRole)
  const claims = { iss: 'http://127.0.0.1:4000', aud: 'https://orders.example.com', sub: 'ada', iat: 1, exp: 2 }
  const base = (key: { alg: string; kid: string }) => ({ header: { alg: key.alg, kid: key.kid, typ: 'JWT' }, claims })
  const mint = createMint({ keys: store, main, base, trusted: true })
  const stimuli: [string, Token | Probe][] = []
  const judged: boolean[] = []
  const keep = (what: Token | Probe, name: string): Promise<Answer> => {
    stimuli.push([name, what])
    return Promise.resolve(ANSWER)
  }
  const bench: Partial<OriginBench> = {
    now: () => 1_800_000_000,
    profile: {
      algorithms: algorithms as [Algorithm],
      algorithmsDeclared: true,
      issuer: claims.iss,
      audience: claims.aud,
      requiredClaims: ['exp'],
      subjects: ['ada', 'bob'],
      token: { header: 'Authorization', scheme: 'Bearer' },
      routes: [{ path: '/', methods: ['GET'] }],
      jwks: { workers: 1 },
    },
    keys: { main, get: store.get },
    mint,
    encrypt: (plaintext, options) => ({
      compact: encryptJwe(plaintext, options),
      control: false,
      provenBy: main.role,
      yours: false,
    }),
    certificate: (key) => selfSignedCertificate(store, key.role),
    control: () => mint(),
    accepts: () => Promise.resolve(ANSWER),
    observes: () => Promise.resolve(ANSWER),
    refuses: keep,
    survives: keep,
    judge: (holds) => {
      judged.push(holds)
    },
    guard: (holds, otherwise) => {
      if (!holds) throw new Error(otherwise)
    },
    records: () => {
      // Nothing is reported.
    },
    can: (capability) => issuer || !['issuer', 'public-key', 'unusual-keys'].includes(capability),
    canary: { url: (name) => `http://127.0.0.1:5000/case/${name}`, hits: () => [] },
    jwksFetches: () => fetches,
    nonce: () => 'nonce',
    random: (length) => new Uint8Array(length).fill(7),
  }
  await found.case.run(bench as OriginBench)
  return { stimuli, judged }
}

async function tokenNamed(id: string, name: string, setting?: Setting): Promise<string> {
  const { stimuli } = await sentBy(id, setting)
  const what = stimuli.find(([other]) => other === name)?.[1]
  if (!what || !('compact' in what)) throw new Error(`No such token: ${name}`)
  return what.compact
}

function json(segment: string): JsonObject {
  return JSON.parse(Buffer.from(octets(segment)).toString()) as JsonObject
}

function inputOf(compact: string): Buffer {
  return Buffer.from(compact.slice(0, compact.lastIndexOf('.')))
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`)
}

describe.each(CASES)('$id', ({ id }) => {
  test('names its stimuli apart, and never by the text of a token', async () => {
    const { stimuli } = await sentBy(id)

    const names = stimuli.map(([name]) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).not.toMatch(/eyJ|\.[\w-]{16,}/u)
  })
})

test('alg-none sends ten spellings with three signatures each', async () => {
  const { stimuli } = await sentBy('origin/signature/alg-none')

  const tokens = stimuli.map(([, what]) => segmentsOf((what as Token).compact))
  const headers = tokens.map(({ header }) => json(header))
  const spellings = headers.map((header) => ('alg' in header ? JSON.stringify(header['alg']) : 'absent'))
  const spelt = ['"none"', '"None"', '"NONE"', '"nOnE"', '"none "', '""', 'null', '["none"]', '0', 'absent']
  expect([...new Set(spellings)]).toEqual(spelt)
  expect(new Set(tokens.map(({ header, signature }) => `${header}.${signature}`)).size).toBe(30)
})

test('tampered changes octets, not only characters that carry no bit', async () => {
  const { stimuli } = await sentBy('origin/signature/tampered')

  const parts = stimuli.map(([, what]) => (what as Token).compact.split('.'))
  expect(
    new Set(parts.map((segments) => segments.map((text) => Buffer.from(text, 'base64url').toString('hex')).join('.')))
      .size,
  ).toBe(9)
})

test('hmac-confusion needs the public key for the encodings of a key that the origin trusts, not for guesses', async () => {
  const trusted = await sentBy('origin/signature/hmac-confusion')
  const untrusted = await sentBy('origin/signature/hmac-confusion', { issuer: false })

  expect(untrusted.stimuli).toHaveLength(8 * 3)
  expect(untrusted.stimuli.filter(([name]) => /PEM|DER|JWK|thumbprint| of [nx] /u.test(name))).toEqual([])
  const kids = trusted.stimuli.map(([, what]) => json(segmentsOf((what as Token).compact).header)['kid'])
  expect(new Set(kids)).toEqual(
    new Set((['RS256', 'no-alg-rsa', 'no-alg-ec'] as const).map((role) => store.get(role).kid)),
  )
  expect(trusted.stimuli).toHaveLength((18 + 18 + 17) * 3)
})

test('key-type-mismatch signs with the key that kid names, so that the header alone is wrong', async () => {
  const compact = await tokenNamed('origin/signature/key-type-mismatch', 'ES256 with the kid of an RSA key')

  const { header, signature } = segmentsOf(compact)
  const { jwk } = store.get('RS512')
  expect(json(header)).toMatchObject({ alg: 'ES256', kid: jwk['kid'] })
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  expect(verify('sha512', inputOf(compact), key, octets(signature))).toBe(true)
})

test.each([
  ['ES256', 64, [63, 65, 96, 132]],
  ['ES384', 96, [95, 97, 144, 132]],
  ['ES512', 132, [131, 133, 198]],
] as const)('ecdsa-encoding changes the encoding of a valid %s signature alone', async (algorithm, size, lengths) => {
  const { stimuli } = await sentBy('origin/signature/ecdsa-encoding', { algorithms: [algorithm], issuer: false })

  const [inDer, ...others] = stimuli.map(([, what]) => (what as Token).compact)
  const key = createPublicKey({ key: store.get(algorithm).jwk, format: 'jwk' })
  const der = octets(segmentsOf(inDer ?? '').signature)
  expect(verify(`sha${algorithm.slice(2)}`, inputOf(inDer ?? ''), key, der)).toBe(true)
  expect(der.length).toBeGreaterThan(size)
  expect(others.map((compact) => octets(segmentsOf(compact).signature).length)).toEqual(lengths)
})

test('degenerate-signature adds the order of the group to S of a valid Ed25519 signature', async () => {
  const setting = { algorithms: ['EdDSA'], issuer: false } as const
  const compact = await tokenNamed('origin/signature/degenerate-signature', 'EdDSA signature with S + L for S', setting)

  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const signature = octets(segmentsOf(compact).signature)
  const s = littleEndian(signature.subarray(32))
  expect(signature).toHaveLength(64)
  expect(s).toBeGreaterThanOrEqual(order)
  const reduced = Buffer.from((s - order).toString(16).padStart(64, '0'), 'hex').toReversed()
  const valid = Uint8Array.from([...signature.subarray(0, 32), ...reduced])
  const key = createPublicKey({ key: store.get('EdDSA').jwk, format: 'jwk' })
  expect(verify(null, inputOf(compact), key, valid)).toBe(true)
})

test('b64-false is a valid JWS for whoever implements RFC 7797', async () => {
  const compact = await tokenNamed('origin/signature/b64-false', 'b64 false, the payload unencoded')

  const verified = await compactVerify(compact, await importJWK(store.get('RS256').jwk, 'RS256'))
  expect(JSON.parse(Buffer.from(verified.payload).toString())).toMatchObject({
    iss: 'http://127.0.0.1:4000',
    sub: 'ada',
  })
})

test.each([
  ['/jwks.json', true],
  ['/jwks.json?kid=x%27+OR+%271%27%3D%271', false],
  ['/keys/..%2F..%2F..%2F..%2Fdev%2Fnull', false],
  ['/keys/%2A%29%28uid%3D%2A', false],
  ['/keys/%250d%250aX%3A%20y', false],
  ['/keys/%zz', true],
])('kid-injection judges the JWKS request %s', async (target, holds) => {
  const { judged } = await sentBy('origin/signature/kid-injection', { fetches: [target] })

  expect(judged.filter((one) => !one)).toHaveLength(holds ? 0 : 1)
})

test('malformed-compact replaces - and _ where a payload holds both', async () => {
  const compact = await tokenNamed('origin/format/malformed-compact', '+ and / in place of - and _')

  const { payload } = segmentsOf(compact)
  expect(payload).toMatch(/\+.*\/|\/.*\+/u)
  expect(compact).not.toMatch(/[-_]/u)
  expect(json(payload.replaceAll('+', '-').replaceAll('/', '_'))).toMatchObject({ sub: 'ada' })
})

test('strict-encoding pads a signature as a lenient decoder wants it', async () => {
  const compact = await tokenNamed('origin/format/strict-encoding', 'padding of base64 after the signature')

  const { signature } = segmentsOf(compact)
  expect(signature).toMatch(/[^=]={1,2}$/u)
  expect(signature.length % 4).toBe(0)
})

test('hostile-size nests in as few octets as there are', async () => {
  const { stimuli } = await sentBy('origin/format/hostile-size')

  const lengths = new Map(stimuli.map(([name, what]) => [name, (what as Token).compact.length]))
  for (const part of ['claims', 'header']) {
    expect(lengths.get(`${part} nested 2000 deep`)).toBeLessThan(8_000)
    expect(lengths.get(`${part} nested 10000 deep`)).toBeGreaterThan(2 * 10_000)
  }
})
