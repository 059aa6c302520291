import { createPublicKey } from 'node:crypto'
import { crypto, dsse } from '@sigstore/core'
import { describe, expect, test } from 'vitest'
import { caseResult } from '../model/result.testing.ts'
import { artefactOf, artefactText } from './artefact.ts'
import { preAuthEncoding, readEnvelope } from './envelope.ts'
import type { Envelope } from './envelope.ts'
import {
  DIGEST,
  goodStatement,
  leavesOf,
  MAKE,
  newPair,
  NOON,
  reportAtNoon,
  runOf,
  sealed,
  signer,
  trusted,
  withChanged,
} from './evidence.testing.ts'
import { sha256, statementOf } from './statement.ts'
import { verifyEnvelope } from './verify.ts'
import type { Claim, Demands } from './verify.ts'

const OURS = newPair()
const REPORT_TEXT = 'the report as it stands in its file'
const STATEMENT = goodStatement({ reportText: REPORT_TEXT })
const SEALED = JSON.parse(sealed(STATEMENT, OURS)) as {
  payload: string
  payloadType: string
  signatures: { keyid: string; sig: string }[]
}

function artefact(text: string) {
  const read = artefactOf(text)
  if (!read) throw new Error('no artefact')
  return read
}

const ALL: Demands = {
  keys: [trusted(OURS)],
  artefacts: [artefact(`ghcr.io/acme/orders@sha256:${DIGEST}`)],
  report: Buffer.from(REPORT_TEXT),
  maxAge: 3_600_000,
  require: ['pass', 'judged', 'origin/claims/iss-wrong'],
}

function envelope(value: unknown): Envelope {
  const read = readEnvelope(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))
  if (typeof read === 'string') throw new Error(read)
  return read
}

function failing(value: unknown, demands: Partial<Demands> = {}, now = NOON + 1000): readonly string[] {
  return verifyEnvelope(envelope(value), { ...ALL, ...demands }, now)
    .filter(({ holds }) => !holds)
    .map(({ name }) => name)
}

function saysOf(claims: readonly Claim[], name: string): string {
  return claims.find((claim) => claim.name === name)?.says ?? ''
}

test('what was signed holds, a line for each thing that was asked', () => {
  const claims = verifyEnvelope(envelope(SEALED), ALL, NOON + 1000)

  expect(claims.map(({ name, holds }) => [name, holds])).toEqual(
    ['signature', 'tested', 'subject', 'report', 'age', 'result', 'judged', 'case'].map((name) => [name, true]),
  )
  expect(saysOf(claims, 'tested')).toBe('origin: url at http://127.0.0.1:8888/orders, by trustspec 1.2.3')
})

describe('an independent implementation agrees', () => {
  test.each(['', 'application/x', 'type/ümläut'])('on what is signed, of type "%s"', (type) => {
    for (const body of ['', 'hello', 'grüße 7 x', '\0\n']) {
      expect(preAuthEncoding(type, Buffer.from(body))).toEqual(dsse.preAuthEncoding(type, Buffer.from(body)))
    }
  })

  test.each(Object.keys(MAKE).filter((kind) => kind !== 'RSA-PSS'))('on signatures by %s', (kind) => {
    const pair = MAKE[kind]?.() ?? OURS
    const { payload, payloadType, signatures } = envelope(sealed(STATEMENT, pair))
    const octets = dsse.preAuthEncoding(payloadType, Buffer.from(payload))
    const signature = Buffer.from(signatures[0]?.signature ?? [])
    const hash = kind === 'Ed25519' ? undefined : kind === 'ECDSA P-384' ? 'sha384' : 'sha256'

    expect(crypto.verify(octets, createPublicKey(pair.publicPem), signature, hash)).toBe(true)
    octets[octets.length - 1] = 0
    expect(crypto.verify(octets, createPublicKey(pair.publicPem), signature, hash)).toBe(false)
  })
})

describe('the signature', () => {
  test.each(Object.keys(MAKE))('of %s holds for its key and for no other', (kind) => {
    const [pair, other] = [MAKE[kind]?.() ?? OURS, MAKE[kind]?.() ?? OURS]
    const value = sealed(STATEMENT, pair)

    expect(failing(value, { keys: [trusted(pair)] })).toEqual([])
    expect(failing(value, { keys: [trusted(other)] })).toEqual(['signature'])
    expect(failing(value, { keys: [trusted(other), trusted(pair)] })).toEqual([])
  })

  test.each(Object.keys(MAKE))('by our key is none of a key of kind %s that claims its keyid', (kind) => {
    const pair = MAKE[kind]?.() ?? OURS
    const forged = JSON.parse(sealed(STATEMENT, pair)) as typeof SEALED
    forged.signatures = forged.signatures.map(({ sig }) => ({ keyid: signer(OURS).keyid, sig }))

    expect(failing(forged)).toEqual(['signature'])
  })

  test('covers every value of the statement', () => {
    const leaves = leavesOf(STATEMENT)
    expect(leaves.length).toBeGreaterThan(25)
    for (const path of leaves) {
      const changed = withChanged(STATEMENT, path, (old) => (typeof old === 'string' ? `${old}0` : Number(old) + 1))
      const payload = Buffer.from(JSON.stringify(changed)).toString('base64')
      expect(failing({ ...SEALED, payload }), path.join('.')).toEqual(['signature'])
    }
  })

  test('covers the type of the payload, which has to be ours', () => {
    expect(failing({ ...SEALED, payloadType: 'application/json' })).toEqual(['signature'])
    const type = 'application/x-other'
    const octets = Buffer.from(SEALED.payload, 'base64')
    const sig = Buffer.from(signer(OURS).sign(preAuthEncoding(type, octets))).toString('base64')
    expect(failing({ ...SEALED, payloadType: type, signatures: [{ sig }] })).toEqual(['signature'])
  })

  test('of the payload alone, without its type and length, is none', () => {
    const sig = Buffer.from(signer(OURS).sign(Buffer.from(SEALED.payload, 'base64'))).toString('base64')
    expect(failing({ ...SEALED, signatures: [{ sig }] })).toEqual(['signature'])
  })

  test('is looked for among several, whatever their keyids say', () => {
    const [good] = SEALED.signatures
    const other = JSON.parse(sealed(STATEMENT, newPair())) as typeof SEALED
    const signatures = [...other.signatures, { keyid: 'of somebody else', sig: good?.sig }]
    expect(failing({ ...SEALED, signatures })).toEqual([])
    expect(failing({ ...SEALED, signatures: [{ sig: good?.sig }] })).toEqual([])
    expect(failing({ ...SEALED, signatures: other.signatures })).toEqual(['signature'])
  })

  test.each(['AA==', Buffer.alloc(64).toString('base64'), Buffer.from('0', 'hex').toString('base64') || 'MAA='])(
    'is none: %s',
    (sig) => {
      for (const make of Object.values(MAKE)) {
        expect(failing({ ...SEALED, signatures: [{ sig }] }, { keys: [trusted(make())] })).toEqual(['signature'])
      }
    },
  )

  test('that does not hold leaves all else unsaid', () => {
    expect(verifyEnvelope(envelope(SEALED), { ...ALL, keys: [trusted(newPair())] }, NOON)).toHaveLength(1)
  })
})

describe('the envelope', () => {
  const text = JSON.stringify(SEALED)
  const { payload } = SEALED
  const sig = SEALED.signatures[0]?.sig ?? ''

  test('may be written in either alphabet of base64, padded or not', () => {
    const urlSafe = payload.replaceAll('+', '-').replaceAll('/', '_')
    for (const written of [urlSafe, urlSafe.replaceAll('=', '')]) {
      expect(failing({ ...SEALED, payload: written })).toEqual([])
    }
    expect(failing({ ...SEALED, extension: 1 })).toEqual([])
  })

  test.each([
    ['no JSON', text.slice(1)],
    ['octets behind it', `${text}{}`],
    ['a repeated member', `{"payload":"AAAA",${text.slice(1)}`],
    ['a repeated member in another spelling', `{"p\\u0061yload":"AAAA",${text.slice(1)}`],
    ['a list', `[${text}]`],
    ['no payload', JSON.stringify({ ...SEALED, payload: undefined })],
    ['an empty payload', JSON.stringify({ ...SEALED, payload: '' })],
    ['a space in the payload', JSON.stringify({ ...SEALED, payload: `${payload.slice(0, 8)} ${payload.slice(8)}` })],
    ['a line break behind the payload', JSON.stringify({ ...SEALED, payload: `${payload}\n` })],
    ['padding too much', JSON.stringify({ ...SEALED, payload: `${payload}=` })],
    ['bits that nobody reads', JSON.stringify({ ...SEALED, payload: 'QR==' })],
    ['no type', JSON.stringify({ ...SEALED, payloadType: undefined })],
    ['no signatures', JSON.stringify({ ...SEALED, signatures: [] })],
    ['signatures that are none', JSON.stringify({ ...SEALED, signatures: [sig] })],
    ['a signature that is not base64', JSON.stringify({ ...SEALED, signatures: [{ sig: '%%%' }] })],
    ['one good and one bad', JSON.stringify({ ...SEALED, signatures: [{ sig }, { sig: '%' }] })],
    ['a keyid that is no text', JSON.stringify({ ...SEALED, signatures: [{ sig, keyid: 7 }] })],
  ])('is unreadable with %s', (_, written) => {
    expect(readEnvelope(Buffer.from(written))).toBeTypeOf('string')
  })
})

describe('a statement that our key signed', () => {
  const resealed = (path: readonly string[], value: unknown) =>
    sealed(
      withChanged(STATEMENT, path, () => value),
      OURS,
    )

  test.each([
    ['_type', 'https://in-toto.io/Statement/v0.1'],
    ['predicateType', 'https://slsa.dev/provenance/v1'],
    ['subject', [{ name: 'x' }]],
    ['predicate', {}],
    ['predicate.result', 'passed'],
    ['predicate.passedTests', 'all'],
    ['predicate.trustspec', undefined],
    ['predicate.trustspec.finishedAt', 'today'],
    ['predicate.trustspec.exit', undefined],
    ['predicate.trustspec.selected', undefined],
    ['predicate.trustspec.parts', [{}]],
    ['predicate.trustspec.verdicts', []],
  ])('is none of ours where %s is %j', (path, value) => {
    expect(failing(resealed(path.split('.'), value))).toEqual(['statement'])
  })

  test('is none where a member is repeated', () => {
    const text = JSON.stringify(STATEMENT).replace('"result":', '"result":"FAILED","result":')
    const octets = Buffer.from(text)
    const sig = Buffer.from(signer(OURS).sign(preAuthEncoding(SEALED.payloadType, octets))).toString('base64')
    expect(failing({ ...SEALED, payload: octets.toString('base64'), signatures: [{ sig }] })).toEqual(['statement'])
  })

  test.each([
    ['predicate.result', 'FAILED', ['result']],
    ['predicate.trustspec.exit.code', 1, ['result']],
    ['predicate.failedTests', ['origin/claims/exp'], ['result']],
    ['predicate.passedTests', [], ['result', 'case']],
    ['predicate.passedTests', ['origin/claims/aud-wrong'], ['case']],
    ['predicate.trustspec.verdicts', { 'origin/claims/iss-wrong': 'fail-open' }, ['case']],
    ['predicate.trustspec.selected', true, ['result']],
    ['predicate.trustspec.unjudged', ['origin/claims/exp'], ['judged']],
    ['predicate.trustspec.parts', [], ['tested']],
    ['predicate.trustspec.finishedAt', '2026-03-01T10:59:59.000Z', ['age']],
    ['predicate.trustspec.finishedAt', '2026-03-01T12:06:00.000Z', ['age']],
    ['subject.0.digest.sha256', DIGEST, ['report']],
    ['subject.0.name', 'other.json', ['report']],
    ['subject.1.digest.sha256', 'cd'.repeat(32), ['subject']],
    ['subject.1.digest', { sha512: DIGEST }, ['subject']],
    ['subject.1.name', 'ghcr.io/acme/payments', ['subject']],
  ])('does not do where %s is %j', (path, value, fails) => {
    expect(failing(resealed(path.split('.'), value))).toEqual(fails)
  })

  test('without an edition is of no edition', () => {
    expect(failing(SEALED, { edition: '2026.1' })).toEqual(['edition'])
    expect(failing(resealed(['predicate', 'trustspec', 'edition'], '2026.1'), { edition: '2026.1' })).toEqual([])
    expect(failing(resealed(['predicate', 'trustspec', 'edition'], '2026.2'), { edition: '2026.1' })).toEqual([
      'edition',
    ])
  })

  test('is about an artefact by its digest, whatever it is called, where no name is asked for', () => {
    expect(failing(SEALED, { artefacts: [artefact(`sha256:${DIGEST.toUpperCase()}`)] })).toEqual([])
    expect(failing(SEALED, { artefacts: [artefact(`sha256:${'0'.repeat(64)}`)] })).toEqual(['subject'])
  })
})

test('an artefact is a name and a digest of the right length', () => {
  for (const text of [
    `registry:5000/a/b:1.4@sha256:${DIGEST}`,
    `gitCommit:${'a'.repeat(40)}`,
    `a@b@sha256:${DIGEST}`,
  ]) {
    expect(artefactText(artefact(text))).toBe(text)
  }
  for (const text of [
    '',
    'orders',
    `@sha256:${DIGEST}`,
    'a@sha256:ab',
    `a@md5:${'a'.repeat(32)}`,
    `a@toString:${DIGEST}`,
  ]) {
    expect(artefactOf(text)).toBeUndefined()
  }
})

describe('the result of a run', () => {
  const known = { case: 'c/b/a', verdict: 'fail-open', reason: 'legacy consumers', accepted: true } as const

  test.each([
    ['PASSED', [], 0],
    ['WARNED', [caseResult('o/s/warn', { verdict: 'warn', level: 'SHOULD' })], 0],
    ['WARNED', [caseResult('o/s/known', { verdict: 'fail-open', known })], 0],
    ['WARNED', [caseResult('o/s/upcoming', { verdict: 'fail', upcoming: '2027.1' })], 0],
    ['WARNED', [caseResult('o/s/unclear', { verdict: 'inconclusive' })], 0],
    ['FAILED', [caseResult('o/s/open', { verdict: 'fail-open' })], 1],
    ['FAILED', [caseResult('o/s/open', { verdict: 'fail-open' })], 0],
    ['FAILED', [caseResult('o/s/unclear', { verdict: 'inconclusive' })], 1],
  ] as const)('is %s with %#', (result, cases, code) => {
    const report = reportAtNoon([caseResult('o/s/good', {}), ...cases], { exit: { code, meaning: '' } })
    const { predicate } = statementOf(runOf(report))

    expect(predicate.result).toBe(result)
    expect(predicate.passedTests).toEqual(['o/s/good'])
    const listed = [...predicate.warnedTests, ...predicate.failedTests, ...predicate.trustspec.unjudged]
    expect(listed).toEqual(cases.map(({ id }) => id))
    expect(predicate.failedTests).toHaveLength(cases.some(({ id }) => id === 'o/s/open') ? 1 : 0)
  })

  test('tells of accepted findings why, and whose digest the report has', () => {
    const report = reportAtNoon([caseResult('o/s/known', { verdict: 'fail-open', known })])
    const { predicate, subject } = statementOf(runOf(report, { reportText: 'x' }))

    expect(predicate.trustspec.accepted).toEqual([{ case: 'o/s/known', verdict: 'fail-open', reason: known.reason }])
    expect(subject[0]).toEqual({ name: 'trustspec-report.json', digest: { sha256: sha256('x') } })
  })
})
