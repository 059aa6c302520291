import { Ajv } from 'ajv'
import { validateStrict } from 'ctrf'
import { describe, expect, test } from 'vitest'
import type { CaseResult, Report } from '../model/result.ts'
import { annotationsOf, inert } from './annotations.ts'
import { renderBadge } from './badge.ts'
import { renderCtrf } from './ctrf.ts'
import { renderJson } from './json.ts'
import { renderMarkdown } from './markdown.ts'
import { reportOf } from '../model/result.testing.ts'
import { caseOf, EVERYTHING, FINDING, HOSTILE, renderingOf } from './report.testing.ts'

const MANY = renderingOf([EVERYTHING, reportOf([caseOf('gateway/token/verifies')], { subject: 'gateway' })])

const FAILED = { exit: { code: 1, meaning: '1 requirement broken.' } } as const

describe('JSON', () => {
  test('is a collection where no target was given, whatever was selected, else the report', () => {
    expect(JSON.parse(renderJson(renderingOf([EVERYTHING])))).toEqual(JSON.parse(JSON.stringify(EVERYTHING)))
    expect(JSON.parse(renderJson(renderingOf([EVERYTHING], { isCollection: true })))).toMatchObject({
      version: 1,
      reports: [{ subject: 'origin' }],
      exit: { code: 1 },
    })
  })
})

describe('CTRF', () => {
  interface Ctrf {
    readonly results: {
      readonly summary: Readonly<Record<string, number>>
      readonly tests: readonly { readonly testId: string; readonly status: string; readonly rawStatus: string }[]
    }
  }
  const document = JSON.parse(renderCtrf(MANY)) as Ctrf

  test('is valid by its reference implementation, with as many tests as it counts', () => {
    expect(() => {
      validateStrict(document)
    }).not.toThrow()
    const { tests, summary } = document.results
    expect(() => {
      validateStrict({ ...document, results: { ...document.results, tests: [{}] } })
    }).toThrow()
    for (const status of ['passed', 'failed', 'skipped', 'pending', 'other']) {
      expect(summary[status], status).toBe(tests.filter((one) => one.status === status).length)
    }
    expect(summary['tests']).toBe(15)
  })

  test('has a status for every standing', () => {
    expect(
      document.results.tests.map(({ testId, status, rawStatus }) => `${testId.slice(7)} ${status} ${rawStatus}`),
    ).toEqual([
      'claims/passes passed pass',
      'claims/passes-in-part passed pass',
      'claims/open failed fail-open',
      'claims/crash failed fail-crash',
      'claims/closed failed fail-closed',
      'claims/other failed fail',
      'claims/accepted other fail-open',
      'claims/upcoming pending fail-open',
      'format/warns other warn (fail-open)',
      'format/unclear other inconclusive',
      'format/unclear-should other inconclusive',
      'format/measured other info',
      'format/skipped skipped skip',
      'format/not-applicable skipped skip',
      '/token/verifies passed pass',
    ])
  })
})

describe('the badge', () => {
  /** What shields.io documents of the answer of an endpoint. */
  const validate = new Ajv().compile({
    type: 'object',
    additionalProperties: false,
    required: ['schemaVersion', 'label', 'message'],
    properties: {
      schemaVersion: { const: 1 },
      label: { type: 'string' },
      message: { type: 'string', minLength: 1 },
      color: { type: 'string' },
      labelColor: { type: 'string' },
      isError: { type: 'boolean' },
      namedLogo: { type: 'string' },
      logoSvg: { type: 'string' },
      logoColor: { type: 'string' },
      logoSize: { type: 'string' },
      style: { type: 'string' },
      cacheSeconds: { type: 'integer', minimum: 300 },
    },
  })
  const pass = caseOf('origin/claims/a')
  const skip = caseOf('origin/claims/b', { verdict: 'skip' })
  const open = caseOf('origin/claims/c', { verdict: 'fail-open', findings: [FINDING] })
  const unclear = caseOf('origin/claims/d', { verdict: 'inconclusive', reason: 'The control failed.' })
  const should = caseOf('origin/claims/e', { level: 'SHOULD', verdict: 'warn', findings: [FINDING] })

  test.each<readonly [string, readonly CaseResult[], Partial<Report>, string, string, boolean]>([
    ['all proven', [pass, pass], {}, '2 of 2 proven', 'brightgreen', false],
    ['some locked', [pass, skip], {}, '1 of 2 proven', 'green', false],
    ['no requirement', [{ ...should, verdict: 'pass' }], {}, 'conforms', 'brightgreen', false],
    ['broken', [pass, open], FAILED, '1 broken', 'red', false],
    ['not established', [pass, unclear], FAILED, '1 not established', 'orange', false],
    ['nothing proven', [unclear, unclear], FAILED, 'nothing proven', 'lightgrey', true],
    ['strict', [pass, should], FAILED, '1 of 1 proven, failing', 'red', false],
  ])('%s', (_, cases, change, message, color, isError) => {
    const badge: unknown = JSON.parse(renderBadge(renderingOf([reportOf(cases, change)])))

    expect(badge).toEqual({ schemaVersion: 1, label: 'trustspec origin', message, color, isError })
    validate(badge)
    expect(validate.errors).toBeNull()
  })
})

describe('Markdown', () => {
  const text = renderMarkdown(MANY)

  test('holds nothing of what a target said as markup', () => {
    const outside = text.replaceAll(/^(`{3,})sh\n.*?\n\1$/gmsu, '')
    expect(outside).not.toContain('<script')
    expect(outside).not.toContain('](javascript')
    expect(outside).not.toContain('**bold**')
    expect(outside).not.toContain('| `code`')
    expect(text.split('<details>').length).toBe(text.split(/^<\/details>$/mu).length)
    expect(text).not.toMatch(/^::/mu)
  })

  test('tells a shared reason once, and of many stimuli the first ones', () => {
    const reason = 'A valid token is answered with 500.'
    const cases = ['a', 'b', 'c'].map((name) => caseOf(`origin/claims/${name}`, { verdict: 'inconclusive', reason }))
    const findings = Array.from({ length: 7 }, (_, at) => ({ ...FINDING, stimulus: `stimulus ${at}` }))
    const open = caseOf('origin/claims/open', { verdict: 'fail-open', findings })
    const some = renderMarkdown(renderingOf([reportOf([...cases, open], FAILED)]))

    expect(some.split('A valid token is answered').length).toBe(2)
    expect(some).toContain('`origin/claims/a`, `origin/claims/b`, `origin/claims/c`')
    expect(some).toContain('stimulus 4')
    expect(some).not.toContain('stimulus 5')
    expect(some).toContain('And 2 more stimuli.')
  })

  test('is shorter than what GitHub takes, and says what is left out', () => {
    const findings = [{ ...FINDING, observed: '\u20ac'.repeat(1000) }]
    const cases = Array.from({ length: 1000 }, (_, at) =>
      caseOf(`origin/claims/c${at}`, { verdict: 'fail-open', findings }),
    )
    const long = renderMarkdown(renderingOf([reportOf(cases, FAILED)]))

    expect(Buffer.byteLength(long)).toBeLessThan(1_000_000)
    expect(Buffer.byteLength(long)).toBeGreaterThan(800_000)
    expect(long).toMatch(/\n\d+ more parts of this summary would be too much here: see the other reports\.\n$/u)
  })
})

describe('annotations', () => {
  /** What the runner of GitHub makes of a line, as it documents its commands. */
  function asRead(line: string): {
    readonly kind: string
    readonly properties: Record<string, string>
    readonly message: string
  } {
    const [, kind = '', properties = '', message = ''] = /^::(\w+) (.*?)::(.*)$/u.exec(line) ?? []
    const data = (text: string): string => text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%')
    const pairs = properties.split(',').map((pair) => {
      const [name = '', ...value] = pair.split('=')
      return [name, data(value.join('=').replaceAll('%3A', ':').replaceAll('%2C', ','))] as const
    })
    return { kind, properties: Object.fromEntries(pairs), message: data(message) }
  }

  test('tell of a new finding before a known one', () => {
    const findings = [
      { ...FINDING, known: true as const },
      { ...FINDING, stimulus: 'iss an array' },
    ]
    const report = reportOf([caseOf('origin/x/a', { verdict: 'fail-open', findings })], FAILED)

    expect(asRead(annotationsOf(renderingOf([report]))[0] ?? '').message).toContain('\niss an array: expected')
    expect(renderMarkdown(renderingOf([report]))).toMatch(/iss an array.*iss with a trailing slash \(known\)/su)
  })

  test('say what is broken, where, and nothing else that a target says is a command', () => {
    const source = 'a,b:c%d/x.ts'
    const [first, ...more] = annotationsOf({ ...MANY, source }).map(asRead)

    expect(first).toEqual({
      kind: 'error',
      properties: { file: source, line: '1', title: 'origin/claims/open: fail-open' },
      message: `The origin refuses a token of another issuer.\niss with a trailing slash: expected ${FINDING.expected}, observed ${FINDING.observed} (and 2 more stimuli)\nRemedy: Compare iss with the configured issuer, character by character.`,
    })
    expect(more.map(({ kind, properties }) => `${kind} ${properties['title']}`)).toEqual([
      'error origin/claims/crash: fail-crash',
      'error origin/claims/closed: fail-closed',
      'error origin/claims/other: fail',
      'error origin/format/unclear: inconclusive',
      'warning origin/format/warns: warn (fail-open)',
      'warning origin/format/unclear-should: inconclusive',
      'notice origin/claims/upcoming: fail-open',
    ])
    expect(more.find(({ properties }) => properties['title']?.startsWith('origin/claims/crash'))?.message).toBe(
      `The origin refuses a token of another issuer.\n${HOSTILE}`,
    )
    for (const line of annotationsOf(MANY)) expect(line).not.toMatch(/[\r\n]/u)
  })

  test('are ten of a kind, and one line for the rest', () => {
    const cases = Array.from({ length: 13 }, (_, at) =>
      caseOf(`origin/claims/c${at}`, { verdict: 'fail-open', findings: [FINDING] }),
    )
    const lines = annotationsOf(renderingOf([reportOf(cases, FAILED)]))

    expect(lines).toHaveLength(11)
    expect(lines.filter((line) => line.startsWith('::error '))).toHaveLength(10)
    expect(lines[10]).toBe('3 more errors without an annotation: GitHub shows 10 of a step.')
  })

  test('tell the one cause of many inconclusive cases once', () => {
    const cause = 'A valid token is answered with 500.'
    const cases = ['a', 'b'].map((name) => caseOf(`origin/x/${name}`, { verdict: 'inconclusive', reason: cause }))
    const report = reportOf(cases, { ...FAILED, preflight: { checks: [], algorithms: [], cause } })

    expect(
      annotationsOf(renderingOf([report]))
        .map(asRead)
        .map(({ message }) => message),
    ).toEqual([`${cause}\n1 requirement broken.`])
  })

  test('tell what fails a run where no case is an error', () => {
    const warns = caseOf('origin/x/warns', { level: 'SHOULD', verdict: 'warn', findings: [FINDING] })
    const report = reportOf([warns], { ...FAILED, stale: EVERYTHING.stale })
    const told = (one: Report) => annotationsOf(renderingOf([one])).map(asRead)

    expect(told(report)[0]).toMatchObject({
      kind: 'error',
      message: '1 requirement broken.\norigin/claims/passes is no longer fail-open: strike it from the list.',
    })
    expect(told(reportOf([warns])).map(({ kind }) => kind)).toEqual(['warning'])
  })

  test('output with commands stopped begins and ends with the token', () => {
    expect(inert('::error::x', 'abc')).toBe('::stop-commands::abc\n::error::x\n::abc::\n')
  })
})
