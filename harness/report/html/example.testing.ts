import { caseResult, reportOf } from '../../model/result.testing.ts'
import type { CaseResult, Finding, Report } from '../../model/result.ts'
import type { Verdict } from '../../model/verdict.ts'

/** Text that would break out of any place where it is not escaped, and that turns what stands around it. */
export const HOSTILE = `</script></style></title><script>globalThis.broken = 1</script>'"><img src=x onerror=broken> & \u0000\u001b[31m\u202e`

const FINDING: Finding = {
  stimulus: 'exp removed',
  expected: 'refused with 400, 401 or 403',
  observed: 'status 200, given to "ada"',
  failure: 'fail-open',
  evidence: {
    method: 'GET',
    url: 'http://127.0.0.1:8888/protected',
    requestHeaders: [['Authorization', 'Bearer $TOKEN']],
    status: 200,
    responseHeaders: [['Content-Type', 'application/json']],
    responseBody: '{"sub":"ada"}',
    curl: `curl -i -H 'Authorization: Bearer '"$TOKEN" http://127.0.0.1:8888/protected`,
  },
}

/** A case of an example, by its full id. */
export function exampleCase(id: string, verdict: Verdict, change: Partial<CaseResult> = {}): CaseResult {
  return caseResult(id, {
    suite: id.split('/').slice(0, 2).join('/'),
    title: `refuses what ${id.split('/').at(-1)} is about`,
    clause: [{ id: 'rfc8725/issuer', title: 'RFC 8725, section 3.8', url: 'https://www.rfc-editor.org/rfc/rfc8725' }],
    verdict,
    findings: verdict.startsWith('fail') || verdict === 'warn' ? [FINDING] : [],
    stimuli: 3,
    rationale: 'A token that never dies is a password.',
    remedy: `Mend ${id}.`,
    durationMs: 4,
    ...change,
  })
}

/** A report with these cases. */
export function exampleReport(cases: readonly CaseResult[], change: Partial<Report> = {}): Report {
  return reportOf(cases, {
    target: { kind: 'url', url: 'http://127.0.0.1:8888/protected', name: 'orders' },
    preflight: { checks: [{ name: 'answers', ok: true, detail: 'status 401' }], algorithms: [] },
    exit: { code: 1, meaning: 'Some requirements are broken.' },
    ...change,
  })
}

/** A report with something of all that a page shows. */
export function fullReport(): Report {
  const known = {
    case: 'origin/claims/b',
    verdict: 'fail-crash',
    reason: 'The library cannot.',
    accepted: false,
  } as const
  return exampleReport(
    [
      exampleCase('origin/signature/a', 'pass'),
      exampleCase('origin/expired-tokens/exp-missing', 'fail-open', {
        findings: Array.from({ length: 30 }, (_, at) => ({ ...FINDING, stimulus: `exp removed ${at}` })),
        snippets: { PyJWT: 'options={"require": ["exp"]}' },
      }),
      exampleCase('origin/claims/b', 'fail-crash', { known }),
      exampleCase('origin/claims/soft', 'warn', { level: 'SHOULD', nature: 'fail-closed' }),
      exampleCase('origin/claims/new', 'pass', { upcoming: '2026.2' }),
      exampleCase('origin/kid-rotation/c', 'inconclusive', {
        reason: 'The fault was never met.',
        timeline: [
          { atMs: 2, kind: 'clock', says: 'the clock of the origin was moved on by 31 s' },
          { atMs: 9, kind: 'fetch', says: 'the JWKS is fetched: status 200' },
        ],
      }),
      exampleCase('origin/bypass/d', 'skip', {
        missing: [{ capability: 'upgrade', says: 'a route that upgrades', unlock: '"upgrade" in the profile' }],
      }),
      exampleCase('origin/observed/e', 'info', { level: 'INFO', measured: { 'status for no token': 401 } }),
    ],
    {
      behaviour: [
        {
          name: 'leeway-exp',
          title: 'time after exp for which a token is accepted',
          unit: 's',
          value: 5,
          series: {
            x: 'seconds after exp',
            y: 'accepted (1) or not (0)',
            points: [
              [0, 1],
              [4, 1],
              [5, 0],
            ],
          },
        },
        { name: 'etag', title: 'asks for the JWKS conditionally', value: false },
        { name: 'cooldown', title: 'time between two fetches', unit: 's', why: 'needs a clock' },
      ],
      notProven: [{ unlock: '"upgrade" in the profile', says: 'a route that upgrades', cases: ['origin/bypass/d'] }],
    },
  )
}

/** The same with hostile text wherever text comes from outside. */
export function hostileReport(): Report {
  const evil = <T>(value: T): T => {
    if (typeof value === 'string')
      return (/^[a-z-]+(?:\/[\w-]+)*$|^[A-Z]+$/u.test(value) ? value : `${value}${HOSTILE}`) as T
    if (Array.isArray(value)) return value.map(evil) as T
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, evil(of)])) as T
  }
  const report = fullReport()
  return { ...evil(report), startedAt: report.startedAt }
}
