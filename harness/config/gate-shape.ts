import type { ExpectedFinding } from '../model/result.ts'
import { FAIL_ON_WORDS } from '../model/fail-on.ts'
import type { FailOnWord } from '../model/fail-on.ts'
import { FAILURES } from '../model/verdict.ts'
import { url, words } from './common-shapes.ts'
import { listOf, objectOf, oneOf, text } from './shape.ts'
import type { JsonSchema, Shape } from './shape.ts'

/** What a configuration says of the gate; flags win over it. */
export interface GateConfig {
  /** The edition of the requirements that counts, as --edition. */
  readonly edition?: string
  /** File of the known findings, as --baseline; from the folder of the configuration. */
  readonly baseline?: string
  /** What fails a run, as --fail-on. */
  readonly failOn?: readonly FailOnWord[]
}

/** The gate as a part of a configuration. */
export const GATE_MEMBERS = {
  edition: text('the name of an edition such as "2026.1"', { pattern: String.raw`^\d{4}\.\d+$`, shown: true }),
  baseline: words,
  failOn: listOf(oneOf(FAIL_ON_WORDS), `a list of words out of ${FAIL_ON_WORDS.join(', ')}`, 1),
} satisfies Readonly<Record<keyof GateConfig, Shape>>

/** A known finding as a baseline has it: each is accepted. */
export type BaselineEntry = Omit<ExpectedFinding, 'accepted' | 'verdict'> & {
  readonly verdict: (typeof BASELINE_VERDICTS)[number]
}

/** Verdicts that tell of a finding. */
export const BASELINE_VERDICTS = [...FAILURES, 'warn'] as const

const entry = objectOf<BaselineEntry>(
  {
    case: text('the full id of a case, such as "origin/claims/iss-wrong"', { shown: true }),
    verdict: oneOf(BASELINE_VERDICTS),
    stimuli: listOf(words, 'a list of stimuli as the report names them, or none for whichever', 1),
    reason: words,
    issue: url,
    expires: text('the last day on which it is accepted, such as "2026-12-31"', {
      pattern: String.raw`^\d{4}-\d{2}-\d{2}$`,
      test: isDay,
      shown: true,
    }),
  },
  '{"case": "…", "verdict": "…", "reason": "…"}',
  { required: ['case', 'verdict', 'reason'] },
)

/** A baseline: known findings, each with a reason. */
export const BASELINE_SHAPE = objectOf(
  { $schema: text('the place of the JSON Schema'), findings: listOf(entry, 'a list of known findings') },
  '{"findings": [ … ]}',
  { required: ['findings'] },
)

function isDay(value: string): boolean {
  const at = Date.parse(`${value}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(value)
}

/** The schema of a baseline, as it is published. */
export function baselineSchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Baseline of trustspec: findings that are known, each with a reason',
    ...BASELINE_SHAPE.schema,
  }
}
