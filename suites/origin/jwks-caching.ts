import { defineSuite } from '../../harness/model/case.ts'
import type { ConformanceCase } from '../../harness/model/case.ts'
import { documentCases } from '../jwks/documents.ts'
import { fetchingCases } from '../jwks/fetching.ts'
import { outageCases } from '../jwks/outage.ts'

/** The order of the catalogue, which the files by subject do not keep. */
const ORDER = [
  'cached',
  'single-flight',
  'refetch-bounded',
  'flood-does-not-starve',
  'outage-warm',
  'failed-refresh-keeps-keys',
  'stale-if-error',
  'stale-is-bounded',
  'cold-outage',
  'slow-endpoint',
  'refresh-does-not-block',
  'bad-document-fails-closed',
  'only-a-200-from-the-configured-url',
  'foreign-keys-ignored',
  'document-tolerance',
  'oct-key-not-usable',
  'huge-document',
  'conditional-request',
  'cache-control-honoured',
  'no-credentials-sent',
  'discovery-issuer-mismatch',
]

const cases: readonly ConformanceCase[] = [...fetchingCases, ...outageCases, ...documentCases]

export default defineSuite({
  id: 'origin/jwks-caching',
  title: 'JWKS caching and resilience',
  cases: cases.toSorted((one, other) => ORDER.indexOf(one.id) - ORDER.indexOf(other.id)),
})
