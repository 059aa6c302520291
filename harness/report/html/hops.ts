import type { CaseResult } from '../../model/result.ts'
import { TONES, toneOf } from './theme.ts'
import type { Tone } from './theme.ts'

/** A place on the trust path that suites are about. */
export type HopId = 'caller' | 'gateway' | 'forward' | 'network' | 'origin' | 'jwks' | 'chain'

export interface Hop {
  readonly id: HopId
  readonly name: string
  /** What its suites ask, for someone who sees the path for the first time. */
  readonly asks: string
}

/** In the order of the path. */
export const HOPS: readonly Hop[] = [
  {
    id: 'caller',
    name: 'API key',
    asks: 'Does the gateway let in the holders of valid keys, no others, and no more than the limits allow?',
  },
  { id: 'gateway', name: 'Gateway', asks: 'Does the gateway stay safe while its parts fail?' },
  {
    id: 'forward',
    name: 'Gateway token',
    asks: 'Does what the gateway forwards carry a sound token, and nothing that a caller forged or should keep secret?',
  },
  { id: 'network', name: 'Private network', asks: 'Does the origin refuse whatever did not come through the gateway?' },
  { id: 'origin', name: 'Origin', asks: 'Does the origin accept the tokens of the gateway, and no others?' },
  {
    id: 'jwks',
    name: 'Issuer and JWKS',
    asks: 'Do keys come and go without an outage, and without a key that outlives its revocation?',
  },
  { id: 'chain', name: 'The whole chain', asks: 'Does it all hold together, from the caller to the origin?' },
]

const HOP_OF: Readonly<Record<string, HopId>> = {
  'gateway/key-auth': 'caller',
  'gateway/rate-limits': 'caller',
  'gateway/leaked-keys': 'caller',
  'gateway/faults': 'gateway',
  'gateway/observed': 'gateway',
  'gateway/token': 'forward',
  'gateway/leakage': 'forward',
  'gateway/spoofing': 'forward',
  'gateway/jwks': 'jwks',
  'origin/bypass': 'network',
  'origin/kid-rotation': 'jwks',
  'origin/jwks-caching': 'jwks',
}

/** The hop that a suite belongs to: that of its subject, unless it is about another one. */
export function hopOf(suite: string): HopId {
  const [subject] = suite.split('/')
  return HOP_OF[suite] ?? (subject === 'chain' || subject === 'gateway' ? subject : 'origin')
}

/** How a hop stands: its worst tone, and in words how many cases say so. */
export interface Standing {
  readonly tone: Tone
  readonly says: string
}

const SAYS: Readonly<Record<Tone, string>> = {
  bad: 'broken',
  unclear: 'unclear',
  warn: 'to improve',
  good: 'as required',
  info: 'measured',
  none: 'not judged',
}

/** Undefined where none of the cases is about the hop. */
export function standingOf(hop: HopId, cases: readonly CaseResult[]): Standing | undefined {
  const tones = cases.filter(({ suite }) => hopOf(suite) === hop).map(({ verdict }) => toneOf(verdict))
  const tone = TONES.find((one) => tones.includes(one))
  if (tone === undefined) return undefined
  return { tone, says: `${tones.filter((one) => one === tone).length} ${SAYS[tone]}` }
}
