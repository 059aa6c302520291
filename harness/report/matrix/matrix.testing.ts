import { caseResult } from '../../model/result.testing.ts'
import type { CaseResult, Report } from '../../model/result.ts'
import { casesOf, columnOf } from './columns.ts'
import { matrixOf } from './model.ts'
import type { MatrixPage } from './model.ts'

const CATALOGUE = ['origin/claims/one', 'origin/claims/two', 'gateway/token/three']

/** Text that would be markup in one of the formats. */
const HOSTILE = '<script>alert(1)</script> | *x* [a](b) `c`'

/** A case of an example that passes, unless it is told otherwise. */
export function result(id: string, given: Partial<CaseResult> = {}): CaseResult {
  return caseResult(id, {
    title: `meets ${id}`,
    clause: [{ id: 'a/b', title: 'A clause', url: 'https://example.com/clause' }],
    rationale: 'Why.',
    remedy: 'Mend it.',
    ...given,
  })
}

function broken(stimulus: string): CaseResult['findings'][number] {
  return { stimulus, expected: 'refused', observed: 'status 200', failure: 'fail-open' }
}

/** What of a report is shown. */
export type Tested = Pick<Report, 'subject' | 'cases'>

/** Reports of an origin without a flaw, and with cases that were not judged. */
export const SOUND: Tested = { subject: 'origin', cases: [result('origin/claims/two'), result('origin/claims/one')] }
const FLAWED: Tested = {
  subject: 'origin',
  cases: [
    result('origin/claims/one', {
      verdict: 'fail-open',
      findings: [broken(HOSTILE), broken('another')],
      known: { case: 'origin/claims/one', verdict: 'fail-open', reason: 'The library does not look.', accepted: false },
    }),
    result('origin/claims/of-tomorrow', { verdict: 'warn', nature: 'fail-closed', level: 'SHOULD' }),
  ],
}
export const PARTIAL: Tested = {
  subject: 'origin',
  cases: [
    result('origin/claims/one', {
      verdict: 'skip',
      reason: 'Missing: scope.',
      missing: [{ capability: 'scope', says: 'a route with a scope', unlock: '"scope"' }],
    }),
    result('origin/claims/two', { verdict: 'inconclusive', reason: 'Nothing answered.' }),
  ],
}
const GATEWAY: Tested = { subject: 'gateway', cases: [result('gateway/token/three', { level: 'SHOULD' })] }

/** The page that reports make, each with a name. */
export function pageOf(...named: readonly (readonly [string, Tested])[]): MatrixPage {
  const cases = casesOf(
    named.map(([, report]) => report),
    CATALOGUE,
  )
  const columns = named.map(([name, report]) => columnOf(name, report))
  return { title: 'A title', intro: ['A paragraph.'], parts: matrixOf(cases, columns) }
}

/** A page with something of all that a matrix shows. */
export const PAGE = pageOf(['sound', SOUND], ['flawed', FLAWED], ['partial', PARTIAL], ['edge', GATEWAY])
