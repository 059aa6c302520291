import { caseResult, reportOf } from '../model/result.testing.ts'
import type { CaseResult, ExpectedFinding, Finding, Report } from '../model/result.ts'
import type { Rendering } from './rendering.ts'

/** What a target could say to break out of the format that it is told in. */
export const HOSTILE = [
  'two\r\nlines\n::error file=x,line=1::injected',
  ']]> </failure> & "quoted" \'once\' <script>alert(1)</script>',
  'controls \u0000\u0008\u000b\u001f\u007f\u0085\uffff end',
  'half a character \ud800 here',
  '| pipe | `code` ``` **bold** [link](javascript:x) </details> $x$ ~~~',
  '100% %0A%25, a:b, ##[error]injected',
].join(' | ')

export const FINDING: Finding = {
  stimulus: 'iss with a trailing slash',
  expected: 'refused with 400, 401 or 403',
  observed: 'status 200, given to "ada"',
  failure: 'fail-open',
  evidence: {
    method: 'GET',
    url: 'http://127.0.0.1:8888/protected',
    requestHeaders: [
      ['Authorization', 'Bearer $TOKEN'],
      ['X-Twice', 'a'],
      ['X-Twice', 'b'],
    ],
    status: 200,
    responseHeaders: [['content-type', 'application/json']],
    responseBody: '{"sub":"ada"}',
    curl: `curl -i -H 'Authorization: Bearer '"$TOKEN" http://127.0.0.1:8888/protected`,
  },
}

/** A passed case; `change` makes another of it. */
export function caseOf(id: string, change: Partial<CaseResult> = {}): CaseResult {
  return caseResult(id, {
    clause: [
      { id: 'rfc8725/issuer', title: 'RFC 8725, section 3.8: Validate Issuer', url: 'https://example.com/rfc8725' },
      { id: 'cwe-22', title: 'CWE-22: Path Traversal', url: 'https://example.com/22' },
      { id: 'cwe-347', title: 'CWE-347: Improper Verification', url: 'https://example.com/347' },
    ],
    stimuli: 12,
    rationale: 'Keys of one issuer must not open the doors of another.',
    remedy: 'Compare iss with the configured issuer, character by character.',
    snippets: { jose: 'await jwtVerify(token, keys, { issuer })' },
    durationMs: 3,
    ...change,
  })
}

export function renderingOf(reports: readonly Report[], change: Partial<Rendering> = {}): Rendering {
  const worst = reports.map(({ exit }) => exit).toSorted((one, other) => other.code - one.code)[0]
  return {
    reports,
    exit: worst ?? { code: 0, meaning: '' },
    isCollection: reports.length > 1,
    source: 'services/orders & co/trustspec.config.ts',
    ...change,
  }
}

const ACCEPTED: ExpectedFinding = {
  case: 'origin/claims/accepted',
  verdict: 'fail-open',
  reason: `The library cannot do otherwise. ${HOSTILE}`,
  accepted: true,
  expires: '2026-12-31',
  issue: 'https://example.com/issues/1',
}

const HOSTILE_FINDING: Finding = {
  ...FINDING,
  stimulus: 'iss in upper case',
  observed: HOSTILE,
  evidence: {
    method: 'GET',
    url: `http://127.0.0.1:8888/?a=${HOSTILE}`,
    requestHeaders: [['X-Hostile', HOSTILE]],
    status: 0,
    responseHeaders: [],
    responseBody: HOSTILE,
    failure: 'timeout',
  },
}

/** A report with every verdict and every standing, and hostile text wherever a target has a say. */
export const EVERYTHING: Report = reportOf(
  [
    caseOf('origin/claims/passes'),
    caseOf('origin/claims/passes-in-part', {
      notProven: [{ stimulus: HOSTILE, reason: 'needs a second key', unlock: '--issuer-port' }],
    }),
    caseOf('origin/claims/open', {
      verdict: 'fail-open',
      findings: [FINDING, HOSTILE_FINDING, FINDING],
      timeline: [{ atMs: 3, kind: 'fetch', says: 'the JWKS, status 200' }],
    }),
    caseOf('origin/claims/crash', { verdict: 'fail-crash', reason: HOSTILE }),
    caseOf('origin/claims/closed', {
      verdict: 'fail-closed',
      findings: [{ stimulus: 'a valid token', expected: 'accepted', observed: 'status 401', failure: 'fail-closed' }],
    }),
    caseOf('origin/claims/other', {
      verdict: 'fail',
      findings: [{ ...FINDING, failure: 'fail' }],
      known: { case: 'origin/claims/other', verdict: 'fail', reason: 'To be mended.', accepted: false },
    }),
    caseOf('origin/claims/accepted', { verdict: 'fail-open', findings: [FINDING], known: ACCEPTED }),
    caseOf('origin/claims/upcoming', { verdict: 'fail-open', findings: [FINDING], upcoming: '2026.2' }),
    caseOf('origin/format/warns', {
      level: 'SHOULD',
      verdict: 'warn',
      nature: 'fail-open',
      findings: [FINDING],
      clause: [{ id: 'rfc9110/head', title: 'RFC 9110, section 9.3.2', url: 'https://example.com/head' }],
    }),
    caseOf('origin/format/unclear', { verdict: 'inconclusive', reason: HOSTILE }),
    caseOf('origin/format/unclear-should', { level: 'SHOULD', verdict: 'inconclusive', reason: 'The control failed.' }),
    caseOf('origin/format/measured', { level: 'INFO', verdict: 'info', measured: { status: 401, text: HOSTILE } }),
    caseOf('origin/format/skipped', {
      verdict: 'skip',
      missing: [{ capability: 'typ', says: 'a declared explicit typ', unlock: '"typ" in the profile' }],
    }),
    caseOf('origin/format/not-applicable', { verdict: 'skip', reason: HOSTILE }),
  ],
  {
    behaviour: [
      {
        name: 'leeway',
        title: 'Leeway',
        unit: 's',
        value: 5,
        series: { x: 'seconds', y: 'accepted', points: [[0, 1]] },
      },
    ],
    notProven: [{ unlock: '"typ" in the profile', says: 'a declared explicit typ', cases: ['origin/format/skipped'] }],
    stale: [{ case: 'origin/claims/passes', verdict: 'fail-open', reason: 'It was mended.', accepted: true }],
    expired: [
      { case: 'origin/claims/other', verdict: 'fail', reason: 'For a while.', accepted: true, expires: '2025-12-31' },
    ],
    exit: { code: 1, meaning: '4 requirements broken, 1 requirement not established.' },
  },
)
