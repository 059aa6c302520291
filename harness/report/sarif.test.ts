import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, onTestFinished, test } from 'vitest'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { SUITES } from '../../suites/catalog.ts'
import { startPole } from '../mutants/poles.ts'
import { runOrigin } from '../runner/run.ts'
import { renderSarif } from './sarif.ts'
import { reportOf } from '../model/result.testing.ts'
import { caseOf, EVERYTHING, FINDING, renderingOf } from './report.testing.ts'

/** The validator of the SARIF SDK; undefined where there is none for the machine. */
function validator(): string | undefined {
  try {
    const require = createRequire(import.meta.url)
    const program = require('@microsoft/sarif-multitool') as string
    return process.arch === 'x64' && existsSync(program) ? program : undefined
  } catch {
    return undefined
  }
}

const TOOL = validator() ?? ''
const hasTool = TOOL !== ''
if (!hasTool) console.log(`Skipped: SARIF by its validator, which is not there for ${process.platform} ${process.arch}`)

interface Sarif {
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly Rule[] } }
    readonly automationDetails: { readonly id: string }
    readonly invocations: readonly {
      readonly exitCode: number
      readonly toolExecutionNotifications: readonly { readonly level: string; readonly message: { text: string } }[]
    }[]
    readonly results: readonly Result[]
  }[]
}

interface Rule {
  readonly id: string
  readonly properties: Readonly<Record<string, string | readonly string[]>>
}

interface Result {
  readonly ruleId: string
  readonly ruleIndex: number
  readonly level: string
  readonly message: { readonly text: string }
  readonly locations?: readonly { readonly physicalLocation: object }[]
  readonly suppressions: readonly object[]
  readonly partialFingerprints: { readonly primaryLocationLineHash: string }
}

const MANY = renderingOf([EVERYTHING, reportOf([caseOf('gateway/token/verifies')], { subject: 'gateway' })])

function read(text: string): Sarif {
  return JSON.parse(text) as Sarif
}

/** What the validator has to say, with the rules of the specification and those of GitHub. */
async function saidOf(sarif: string): Promise<readonly string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-sarif-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const [input, output] = [path.join(folder, 'report.sarif'), path.join(folder, 'said.sarif')]
  await writeFile(input, sarif)
  const args = ['validate', input, '--rule-kind', 'Sarif;Gh', '--output', output, '--quiet', 'true']
  // It exits with 1 where it has something to say.
  await promisify(execFile)(TOOL, args, {
    env: { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' },
  }).catch(() => undefined)
  const said = JSON.parse(await readFile(output, 'utf8')) as Sarif
  return said.runs.flatMap(({ results }) =>
    results.map(({ ruleId, level, message }) => `${level} ${ruleId}: ${JSON.stringify(message)}`),
  )
}

describe('the SARIF report', () => {
  test.skipIf(!hasTool)('its validator has nothing against it, with the rules of GitHub', async () => {
    // The one thing that it misses is the address of the project, which is not published yet.
    const known = MANY.reports.map((_, at) =>
      expect.stringContaining(`SARIF2005: {"id":"Warning_ProvideToolnformationUri","arguments":["runs[${at}]`),
    )
    const { source: _, ...nowhere } = MANY

    expect(await saidOf(renderSarif(MANY))).toEqual(known)
    expect((await saidOf(renderSarif(nowhere))).join('\n')).toContain('GH1015')
  })

  test.skipIf(!hasTool)('is valid by the schema', () => {
    const schema = JSON.parse(readFileSync(path.join(path.dirname(TOOL), 'sarif-2.1.0.json'), 'utf8')) as object
    const validate = new Ajv2020({ strict: false, validateFormats: false, allErrors: true }).compile(schema)
    const { source: _, ...nowhere } = MANY

    for (const rendering of [MANY, nowhere, renderingOf([reportOf([])])]) {
      validate(read(renderSarif(rendering)))
      expect(validate.errors).toBeNull()
    }
    expect(validate({ ...read(renderSarif(MANY)), extra: 1 })).toBe(false)
  })

  test('has a rule for each case and a result for each finding that a reader has to see', () => {
    const { runs } = read(renderSarif(MANY))
    const [run, other] = runs
    const rules = run?.tool.driver.rules ?? []

    expect(rules.map(({ id }) => id)).toEqual(EVERYTHING.cases.map(({ id }) => id))
    expect(run?.results.map(({ ruleId, level }) => `${ruleId.slice(ruleId.lastIndexOf('/') + 1)} ${level}`)).toEqual([
      'open error',
      'open error',
      'open error',
      'crash error',
      'closed error',
      'other error',
      'accepted error',
      'upcoming note',
      'warns warning',
    ])
    for (const { ruleId, ruleIndex } of run?.results ?? []) expect(rules[ruleIndex]?.id).toBe(ruleId)
    expect(run?.results.map(({ suppressions }) => suppressions.length)).toEqual([0, 0, 0, 0, 0, 0, 1, 0, 0])
    expect(other?.results).toEqual([])
    expect(runs.map(({ automationDetails }) => automationDetails.id)).toEqual([
      'trustspec/origin/services/orders & co/trustspec.config.ts/',
      'trustspec/gateway/services/orders & co/trustspec.config.ts/',
    ])
    expect(run?.results[0]?.message.text).toBe(
      'Iss with a trailing slash: expected refused with 400, 401 or 403, observed status 200, given to "ada". The origin refuses a token of another issuer. Remedy: Compare iss with the configured issuer, character by character.',
    )
    expect(run?.results[0]?.locations).toEqual([
      {
        physicalLocation: {
          artifactLocation: { uri: 'services/orders%20%26%20co/trustspec.config.ts' },
          region: { startLine: 1 },
        },
      },
    ])
  })

  test('suppresses the findings of a case that are known, beside new ones', () => {
    const findings = [
      { ...FINDING, known: true as const },
      { ...FINDING, stimulus: 'iss an array' },
    ]
    const report = reportOf([caseOf('origin/claims/a', { verdict: 'fail-open', findings })])
    const [run] = read(renderSarif(renderingOf([report]))).runs

    expect(run?.results.map(({ suppressions }) => suppressions)).toEqual([
      [{ kind: 'external', status: 'accepted', justification: 'Accepted: the stimulus is known.' }],
      [],
    ])
  })

  test('tells what could not be established as notifications, with the exit code', () => {
    const cause = 'The origin answers 500 to a valid token.'
    const report = reportOf([caseOf('origin/claims/a', { verdict: 'inconclusive', reason: cause })], {
      preflight: { checks: [], algorithms: [], cause },
      exit: { code: 1, meaning: '1 requirement not established.' },
    })
    const [run] = read(renderSarif(renderingOf([report]))).runs

    expect(run?.results).toEqual([])
    expect(run?.invocations[0]).toMatchObject({
      executionSuccessful: true,
      exitCode: 1,
      toolExecutionNotifications: [
        { level: 'error', message: { text: cause } },
        { level: 'error', message: { text: `origin/claims/a could not be established: ${cause}` } },
      ],
    })
  })

  test('tags rules for GitHub: weaknesses, severity, ten at most', () => {
    const manyClauses = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((number) => ({
      id: `cwe-${number}`,
      title: `CWE-${number}`,
      url: 'https://example.com/',
    }))
    const cases = [...EVERYTHING.cases, caseOf('origin/claims/many', { clause: manyClauses })]
    const [run] = read(renderSarif(renderingOf([reportOf(cases)]))).runs
    const properties = (name: string) => run?.tool.driver.rules.find(({ id }) => id.endsWith(`/${name}`))?.properties

    expect(properties('open')).toEqual({
      tags: ['security', 'conformance', 'external/cwe/cwe-022', 'external/cwe/cwe-347'],
      precision: 'very-high',
      'problem.severity': 'error',
      'security-severity': '9.1',
    })
    expect(properties('warns')).toEqual({
      tags: ['conformance'],
      precision: 'very-high',
      'problem.severity': 'warning',
    })
    expect(properties('many')?.['tags']).toHaveLength(10)
  })

  test('fingerprints tell stimuli apart, and stay as they are whatever was observed', () => {
    const printsOf = (observed: string, id = 'origin/claims/open'): readonly string[] => {
      const findings = [
        { ...FINDING, observed },
        { ...FINDING, stimulus: 'iss an array', observed },
        { ...FINDING, observed },
      ]
      const report = reportOf([caseOf(id, { verdict: 'fail-open', findings })])
      const [run] = read(renderSarif(renderingOf([report]))).runs
      return run?.results.map(({ partialFingerprints }) => partialFingerprints.primaryLocationLineHash) ?? []
    }

    expect(new Set(printsOf('status 200')).size).toBe(3)
    expect(printsOf('status 204')).toEqual(printsOf('status 200'))
    expect(printsOf('status 200', 'origin/claims/other')).not.toEqual(printsOf('status 200'))
    expect(printsOf('status 200')[0]).toMatch(/^[0-9a-f]{16}:1$/u)
  })

  test('keeps to the number of results that GitHub takes', () => {
    const findings = Array.from({ length: 25_001 }, (_, at) => ({
      stimulus: `stimulus ${at}`,
      expected: 'refused',
      observed: 'status 200',
      failure: 'fail-open' as const,
    }))
    const report = reportOf([caseOf('origin/claims/open', { verdict: 'fail-open', findings })])

    expect(read(renderSarif(renderingOf([report]))).runs[0]?.results).toHaveLength(25_000)
  })

  test('stimuli have the same names whatever the seed', async () => {
    const stimuliOf = async (seed: number): Promise<readonly string[]> => {
      const { cases } = await runOrigin({
        suites: SUITES,
        select: { suites: ['origin/claims'] },
        start: () => startPole('believes-all'),
        control: { kind: 'issuer', keys: embeddedKeys(), port: 0 },
        profile: {},
        seed,
        deadlineMs: 2_000,
        on: () => undefined,
        signal: new AbortController().signal,
      })
      return cases.flatMap(({ id, findings }) => findings.map(({ stimulus }) => `${id} ${stimulus}`))
    }
    const some = await stimuliOf(1)

    expect(some.length).toBeGreaterThan(50)
    expect(new Set(some).size).toBe(some.length)
    expect(await stimuliOf(2)).toEqual(some)
  })
})
