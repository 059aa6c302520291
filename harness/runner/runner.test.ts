import { describe, expect, test } from 'vitest'
import { SUITES } from '../../suites/catalog.ts'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import type { Answer } from '../model/http.ts'
import { judge } from '../mutants/matrix.ts'
import { embeddedTarget } from '../targets/embedded.ts'
import type { Target } from '../targets/target.ts'
import { originCapabilities } from './capabilities.ts'
import { clockOffset } from './preflight.ts'
import { resolveProfile, TRIED_FIRST } from './profile.ts'
import { runOrigin } from './run.ts'
import { plan } from './select.ts'

const KNOWN = {
  url: 'http://127.0.0.1/protected',
  issuer: 'http://issuer',
  audience: 'orders',
  algorithms: TRIED_FIRST,
}

describe('selection', () => {
  const ids = (select: Parameters<typeof plan>[1]) => plan(SUITES, select).map(({ id }) => id)

  test('takes full and short names, and all conditions at once', () => {
    expect(ids({})).toHaveLength(99)
    expect(ids({ suites: ['claims'] })).toHaveLength(10)
    expect(ids({ suites: ['origin/claims'], levels: ['SHOULD'] })).toEqual([
      'origin/claims/aud-array-with-self',
      'origin/claims/scope-insufficient',
    ])
    for (const name of ['origin/claims/iss-wrong', 'claims/iss-wrong', 'iss-wrong']) {
      expect(ids({ cases: [name] })).toEqual(['origin/claims/iss-wrong'])
    }
  })

  test('of nothing is an error, and so is an unknown name', () => {
    expect(() => ids({ suites: ['claims'], cases: ['alg-none'] })).toThrow(
      expect.objectContaining({ code: 'ERR_NOTHING_SELECTED' }),
    )
    expect(() => ids({ cases: ['wrong'] })).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }))
    expect(() => ids({ suites: [''] })).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }))
  })
})

describe('profile', () => {
  test('has defaults for what is not declared', () => {
    expect(resolveProfile({}, KNOWN)).toMatchObject({
      algorithmsDeclared: false,
      issuer: 'http://issuer',
      audience: 'orders',
      requiredClaims: ['iss', 'aud', 'exp', 'sub'],
      token: { header: 'Authorization', scheme: 'Bearer' },
      routes: [{ path: '/protected', methods: ['GET'] }],
    })
    expect(resolveProfile({ audience: null }, KNOWN)).toMatchObject({
      audience: null,
      requiredClaims: ['iss', 'exp', 'sub'],
    })
  })

  test("takes issuer, audience and subject of the user's token", () => {
    const claims = { iss: 'https://theirs', aud: ['one', 'two'], sub: 'ada' }

    expect(resolveProfile({}, { ...KNOWN, claims })).toMatchObject({
      issuer: 'https://theirs',
      audience: 'one',
      subjects: ['ada', 'consumer-two'],
    })
  })

  test('that cannot be served is an error', () => {
    expect(() => resolveProfile({ algorithms: ['HS256'] }, KNOWN)).toThrow(
      expect.objectContaining({ code: 'ERR_PROFILE_INVALID' }),
    )
    expect(() => resolveProfile({ requiredClaims: ['tenant'] }, KNOWN)).toThrow(
      expect.objectContaining({ code: 'ERR_PROFILE_INVALID' }),
    )
    expect(resolveProfile({ requiredClaims: ['tenant'], claims: { tenant: 'a' } }, KNOWN).requiredClaims).toEqual([
      'tenant',
    ])
  })
})

describe('capabilities', () => {
  const means = {
    control: 'issuer',
    fetched: true,
    publicKey: false,
    movableClock: false,
    restart: false,
    process: false,
    writes: false,
  } as const
  const of = (declared: Parameters<typeof resolveProfile>[0], change = {}) =>
    originCapabilities(resolveProfile(declared, KNOWN), { ...means, ...change })

  test.each<readonly [string, Parameters<typeof resolveProfile>[0], readonly string[], readonly string[]]>([
    [
      'one RSA algorithm',
      { algorithms: ['RS256'] },
      ['rsa', 'spare-algorithm'],
      ['ec', 'sibling-algorithm', 'two-key-types'],
    ],
    ['one curve', { algorithms: ['ES256'] }, ['ec', 'es256'], ['rsa', 'spare-algorithm']],
    ['two types', { algorithms: ['RS256', 'RS512', 'EdDSA'] }, ['two-key-types', 'sibling-algorithm', 'ed'], ['ec']],
    [
      'nothing declared',
      {},
      ['many-origins', 'unusual-keys'],
      ['spare-algorithm', 'leeway', 'time', 'marker', 'max-age'],
    ],
    ['a small leeway', { leewaySec: 1 }, ['leeway', 'time'], []],
    ['a large leeway', { leewaySec: 60 }, ['leeway'], ['time']],
    ['another header', { token: { header: 'X-Token', scheme: '' } }, [], ['bearer']],
    ['no audience', { audience: null }, [], ['audience', 'many-origins']],
  ])('%s', (_, declared, met, unmet) => {
    const capabilities = of(declared)

    expect(met.filter((name) => !capabilities.has(name as never))).toEqual([])
    expect(unmet.filter((name) => capabilities.has(name as never))).toEqual([])
  })

  test('depend on what is in hand', () => {
    expect(of({}, { control: 'none' }).has('control')).toBe(false)
    expect(of({}, { control: 'token' }).has('issuer')).toBe(false)
    expect(of({}, { fetched: false }).has('canary')).toBe(false)
    expect(of({}, { movableClock: true }).has('time')).toBe(true)
  })
})

test.each([
  ['the same second', 1_000, 1_000_400, 0],
  ['the end of the second', 1_000, 1_000_999, 0],
  ['behind by less than a second', 1_000, 1_001_500, 0],
  ['behind', 1_000, 1_005_500, -5],
  ['ahead', 1_060, 1_000_500, 60],
])('clock offset: %s', (_, dateSec, harnessMs, offset) => {
  const answer = { header: () => [new Date(dateSec * 1000).toUTCString()] } as unknown as Answer

  expect(Math.abs((clockOffset(answer, harnessMs) ?? 99) - offset)).toBeLessThanOrEqual(1)
  expect(clockOffset({ header: () => [] } as unknown as Answer, harnessMs)).toBeUndefined()
})

describe('pre-flight', () => {
  const withProfile =
    (change: object) =>
    async (settings: Parameters<typeof embeddedTarget>[0]): Promise<Target> => {
      const target = await embeddedTarget(settings)
      return {
        ...target,
        profile: { ...target.profile, ...change },
        [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
      }
    }

  test.each([
    [{ audience: 'https://other.example.com' }, 'the JWKS was fetched, so compare what the origin expects with iss'],
    [{ marker: 'not there' }, 'without the marker "not there": correct "marker"'],
    [{ marker: 'unauthorized' }, 'stands in a refusal too'],
    [{ routes: [{ path: '/protected', methods: ['GET', 'PUT'] }] }, 'A valid token is not accepted by PUT /protected'],
  ])('%j ends with one cause', async (change, cause) => {
    const report = await judge(withProfile(change))

    expect(report.preflight.cause).toContain(cause)
    const passed = report.cases.filter(({ verdict }) => verdict === 'pass').map(({ id }) => id)
    // A token may be as good as any and the route still wrong: the control itself is judged all the same.
    expect(passed.filter((id) => id !== 'origin/signature/control-valid')).toEqual([])
    expect(report.exit.code).toBe(1)
  })

  test('finds out the algorithms where none is declared', async () => {
    const report = await runOrigin({
      suites: SUITES,
      select: { cases: ['control-valid'] },
      start: async (settings) => {
        const target = await embeddedTarget(settings)
        const { algorithms: _, ...profile } = target.profile
        return { ...target, profile, [Symbol.asyncDispose]: () => target[Symbol.asyncDispose]() }
      },
      control: { kind: 'issuer', keys: embeddedKeys(), port: 0 },
      profile: {},
      seed: 1,
      deadlineMs: 2_000,
      on: () => undefined,
      signal: new AbortController().signal,
    })
    const accepted = report.preflight.algorithms.filter((entry) => entry.accepted).map(({ algorithm }) => algorithm)

    expect(accepted.toSorted()).toEqual(['ES256', 'EdDSA', 'PS256', 'RS256', 'RS512'])
    expect(report.cases[0]).toMatchObject({ verdict: 'pass', stimuli: 5 })
  })
})
