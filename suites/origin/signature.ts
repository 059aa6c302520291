import { defineSuite } from '../../harness/model/case.ts'
import type { ConformanceCase } from '../../harness/model/case.ts'
import { algorithmCases } from '../signature/algorithms.ts'
import { keyCases } from '../signature/keys.ts'
import { octetCases } from '../signature/octets.ts'

/** The order of reports: from the control through the algorithm and the octets to the key. */
const ORDER = [
  'control-valid',
  'alg-none',
  'tampered',
  'signature-transplanted',
  'wrong-key-known-kid',
  'hmac-confusion',
  'alg-not-allowed',
  'alg-key-binding',
  'key-type-mismatch',
  'degenerate-signature',
  'ecdsa-encoding',
  'embedded-key',
  'remote-key-url',
  'no-ssrf',
  'kid-hostile-type',
  'kid-injection',
  'crit-unknown',
  'b64-false',
  'jwe-confusion',
  'unsuitable-published-key',
]

const cases: readonly ConformanceCase[] = [...algorithmCases, ...keyCases, ...octetCases]

export default defineSuite({
  id: 'origin/signature',
  title: 'Signature and algorithm attacks',
  cases: cases.toSorted((one, other) => ORDER.indexOf(one.id) - ORDER.indexOf(other.id)),
})
