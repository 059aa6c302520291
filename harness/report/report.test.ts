import { execFileSync } from 'node:child_process'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Answer } from '../model/http.ts'
import { caseResult, reportOf } from '../model/result.testing.ts'
import type { CaseResult, Report } from '../model/result.ts'
import { closingLine, collected } from './collection.ts'
import { formatReport } from './console.ts'
import { curlLine } from './curl.ts'
import { formatEvidence } from './evidence.ts'
import { writeWhole } from './files.ts'
import { createProgress } from './progress.ts'

const PLAIN = { colour: false }

const CASE = caseResult('origin/claims/iss-wrong', {
  clause: [
    { id: 'rfc8725/issuer', title: 'RFC 8725, section 3.8: Validate Issuer', url: 'https://example.com/rfc8725' },
  ],
  stimuli: 12,
  measured: { 'status for no token': 401 },
  rationale: 'Keys of one issuer must not open the doors of another.',
  remedy:
    'Compare iss with the configured issuer, character by character, and refuse the token where it differs in any way.',
  durationMs: 3,
})

const FINDING = {
  stimulus: 'iss with a trailing slash',
  expected: 'refused with 400, 401 or 403',
  observed: 'status 200, given to "ada"',
  failure: 'fail-open',
} as const

const EXIT_1 = { code: 1, meaning: '1 requirement broken.' } as const

test('a report of a gateway or a chain has their words', () => {
  const preflight = { checks: [], algorithms: [], clockOffsetSec: 3 }
  const of = (subject: Report['subject']): string => formatReport(reportOf([CASE], { subject, preflight }), PLAIN, true)

  expect(of('gateway')).toContain('    The gateway refuses a token of another issuer.')
  expect(of('gateway')).toContain('clock of the gateway: +3 s')
  expect(of('chain')).toContain('    The chain refuses')
})

test('several reports end with the worst exit code, in one line', () => {
  const bad = reportOf([{ ...CASE, verdict: 'fail-open' }], { subject: 'gateway', exit: EXIT_1 })
  const good = reportOf([CASE, CASE])

  expect(collected([good, bad]).exit).toEqual({ code: 1, meaning: 'gateway: 1 requirement broken.' })
  expect(collected([good]).exit.code).toBe(0)
  expect(closingLine(collected([good, bad]), PLAIN)).toBe(
    `3 cases (origin, gateway): 1 fail-open, 2 pass; ${(good.durationMs / 1000).toFixed(2)} s; exit code 1`,
  )
  const later = { ...bad, startedAt: new Date(Date.parse(good.startedAt) + 10_000).toISOString(), durationMs: 2_500 }
  expect(closingLine(collected([good, later]), PLAIN)).toContain('; 12.50 s; ')
})

describe('the report for people', () => {
  const open: CaseResult = {
    ...CASE,
    verdict: 'fail-open',
    findings: [
      FINDING,
      { ...FINDING, stimulus: 'iss an array' },
      { ...FINDING, stimulus: 'iss in upper case' },
      { ...FINDING, stimulus: 'iss cut' },
    ],
  }
  const known = { case: CASE.id, verdict: 'warn', reason: 'The library cannot do otherwise.', accepted: true } as const
  const accepted = {
    case: 'origin/claims/aud-wrong',
    verdict: 'fail-open',
    reason: 'The library cannot do otherwise, and its authors have been told of it in the issue that is named here.',
    issue: 'https://example.com/issues/1',
    expires: '2026-12-31',
    accepted: true,
  } as const
  const expired = { accepted: false, expires: '2025-12-31' }
  const budget = { capability: 'budget', says: 'more than 500 requests', unlock: '--max-requests N' }
  const cause = 'A valid token is answered with 500; the origin logged: KeyError.'
  const unclear: CaseResult = { ...CASE, verdict: 'inconclusive', reason: cause }
  const skipped: CaseResult = {
    ...CASE,
    verdict: 'skip',
    missing: [{ capability: 'typ', says: 'a declared explicit typ', unlock: '"typ" in the profile' }],
  }

  test.each<readonly [string, Report, boolean]>([
    ['pass', reportOf([CASE, { ...CASE, suite: 'origin/format', id: 'origin/format/x' }]), false],
    ['findings', reportOf([open], { exit: EXIT_1 }), false],
    [
      'cause',
      reportOf([{ ...open, verdict: 'fail-crash', findings: [] }, unclear, unclear, unclear], {
        exit: EXIT_1,
        preflight: { checks: [{ name: 'accepts RS256', ok: false, detail: 'status 500' }], algorithms: [], cause },
      }),
      false,
    ],
    [
      'warn-known',
      reportOf([{ ...CASE, level: 'SHOULD', verdict: 'warn', nature: 'fail-open', findings: [FINDING], known }]),
      false,
    ],
    [
      'skip-stale',
      reportOf([skipped], {
        stale: [known],
        notProven: [{ unlock: '"typ" in the profile', says: 'a declared explicit typ', cases: [CASE.id] }],
        exit: { code: 1, meaning: '1 accepted finding that no longer shows.' },
      }),
      false,
    ],
    [
      'gate',
      reportOf(
        [
          { ...open, findings: open.findings.map((one, at) => (at === 1 ? one : { ...one, known: true })) },
          { ...open, id: 'origin/claims/aud-wrong', findings: [FINDING], known: accepted },
          { ...open, id: 'origin/claims/sub-missing', findings: [FINDING], known: { ...accepted, ...expired } },
          { ...open, id: 'origin/claims/new-one', findings: [FINDING], upcoming: '2026.2' },
          { ...CASE, verdict: 'skip', id: 'origin/claims/iat-future', missing: [budget], reason: 'Spent.' },
        ],
        {
          edition: '2026.1',
          stale: [{ ...accepted, case: 'origin/claims/iss-wrong', stimuli: ['iss empty', 'iss null'] }],
          expired: [{ ...accepted, ...expired, case: 'origin/claims/sub-missing' }],
          notProven: [{ unlock: budget.unlock, says: budget.says, cases: ['origin/claims/iat-future'] }],
          exit: { code: 1, meaning: '2 requirements broken.' },
        },
      ),
      false,
    ],
    ['verbose', reportOf([CASE, skipped], { preflight: { checks: [], algorithms: [], clockOffsetSec: -3 } }), true],
  ])('%s', async (name, report, verbose) => {
    await expect(formatReport(report, PLAIN, verbose)).toMatchFileSnapshot(`../../fixtures/golden/${name}.txt`)
  })

  test('is no wider than 96 columns, but for what is to be copied', () => {
    const evidence = {
      method: 'GET',
      url: 'u',
      requestHeaders: [],
      status: 200,
      responseHeaders: [],
      responseBody: '',
      curl: `curl ${'x'.repeat(200)}`,
    }
    const text = formatReport(reportOf([{ ...open, findings: [{ ...FINDING, evidence }] }]), PLAIN, true)

    for (const line of text.split('\n')) if (!line.includes('curl')) expect(line.length).toBeLessThanOrEqual(96)
    expect(text).toContain(evidence.curl)
  })

  test('colours when it may', () => {
    expect(formatReport(reportOf([open]), { colour: true }, false)).toContain('\u001b[')
    expect(formatReport(reportOf([open]), PLAIN, false)).not.toContain('\u001b[')
  })
})

describe('the curl line', () => {
  /** What a shell makes of the line: curl is replaced by a function that tells its arguments. */
  function argumentsOf(line: string, token = ''): readonly string[] {
    const script = `curl() { for word in "$@"; do printf '%s\\n' "$word"; done; }; ${line}`
    return execFileSync('/bin/sh', ['-c', script], { env: { TOKEN: token } })
      .toString()
      .trimEnd()
      .split('\n')
  }

  test.each([`it's`, '"quoted"', '$HOME `id` $(id)', String.raw`back\slash`, '&;|<>*?[]'])(
    'keeps %s as it is',
    (value) => {
      const line = curlLine({ method: 'GET', url: 'http://127.0.0.1/?a=1&b=2', headers: [['X-Value', value]] })

      expect(argumentsOf(line ?? '')).toEqual(['-i', '-H', `X-Value: ${value}`, 'http://127.0.0.1/?a=1&b=2'])
    },
  )

  test('leaves $TOKEN to the shell, sends empty headers and bodies', () => {
    const line = curlLine({
      method: 'POST',
      url: 'http://127.0.0.1/',
      headers: [
        ['Authorization', 'Bearer $TOKEN'],
        ['X-Empty', ''],
      ],
      body: 'a=b',
    })

    expect(argumentsOf(line ?? '', 'the token')).toEqual([
      '-i',
      '-X',
      'POST',
      '-H',
      'Authorization: Bearer the token',
      '-H',
      'X-Empty;',
      '--data-raw',
      'a=b',
      'http://127.0.0.1/',
    ])
  })

  test('is missing where a shell word cannot hold the octets', () => {
    expect(curlLine({ method: 'GET', url: 'http://127.0.0.1/', headers: [['X', 'a\u0000b']] })).toBeUndefined()
    expect(curlLine({ method: 'GET', url: 'http://127.0.0.1/', headers: [['X', 'caf\u00e9']] })).toBeUndefined()
  })
})

test('evidence is cut', () => {
  const answer: Answer = {
    outcome: 'refused',
    status: 401,
    headers: [],
    header: () => [],
    body: 'x'.repeat(1000),
    ms: 1,
    connection: 1,
  }
  const evidence = formatEvidence({
    method: 'GET',
    url: 'http://127.0.0.1/',
    headers: [['Authorization', 'Bearer $TOKEN']],
    answer,
  })

  expect(evidence.curl).toContain('"$TOKEN"')
  expect(evidence.responseBody).toHaveLength(500)
})

test('a report that cannot be written is an error that names the file', async () => {
  await expect(writeWhole('{}', '/nowhere/at/all.json', '--json')).rejects.toMatchObject({
    code: 'ERR_USAGE',
    fields: { '--json': '/nowhere/at/all.json' },
  })
})

test('progress on a pipe is silent for a short run, and notes are lines', () => {
  const stream = new PassThrough()
  const progress = createProgress(stream as unknown as NodeJS.WriteStream)
  progress.on({ type: 'case', result: CASE, done: 1, of: 2 })
  progress.note('Installing')
  progress.end()

  expect((stream.read() as Buffer).toString()).toBe('Installing\n')
})
