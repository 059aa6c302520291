import type { BaselineEntry } from '../config/gate-shape.ts'
import { BASELINE_VERDICTS } from '../config/gate-shape.ts'
import type { CaseResult } from '../model/result.ts'
import { staleOf } from './expected.ts'

/** What became of an entry of a baseline; `stimuli` are those that it is about. */
export interface Change {
  readonly kind: 'added' | 'extended' | 'removed' | 'narrowed'
  readonly case: string
  readonly verdict: BaselineEntry['verdict']
  readonly stimuli: readonly string[]
}

interface Changed {
  readonly findings: readonly BaselineEntry[]
  readonly changes: readonly Change[]
}

/**
 * The entries with every open finding of these cases in them, the new ones with this reason. What is there keeps its
 * own, and is extended by new stimuli.
 */
export function extended(entries: readonly BaselineEntry[], cases: readonly CaseResult[], reason: string): Changed {
  const findings = [...entries]
  const changes: Change[] = []
  for (const { id, verdict: found, findings: shown, known, upcoming } of cases) {
    const verdict = BASELINE_VERDICTS.find((one) => one === found)
    if (verdict === undefined || upcoming !== undefined) continue
    const stimuli = [...new Set(shown.map(({ stimulus }) => stimulus))]
    const at = findings.findIndex((entry) => entry.case === id && entry.verdict === verdict)
    const entry = findings[at]
    if (!entry) {
      // What the target itself declares to be so, as the samples do, is no open finding.
      if (known?.accepted === true) continue
      findings.push({ case: id, verdict, stimuli, reason })
      changes.push({ kind: 'added', case: id, verdict, stimuli })
      continue
    }
    const { stimuli: had } = entry
    const fresh = had ? stimuli.filter((stimulus) => !had.includes(stimulus)) : []
    if (!had || fresh.length === 0) continue
    findings[at] = { ...entry, stimuli: [...had, ...fresh] }
    changes.push({ kind: 'extended', case: id, verdict, stimuli: fresh })
  }
  return { findings, changes }
}

/** The entries without what these cases no longer show; what they do not tell of stays. */
export function pruned(entries: readonly BaselineEntry[], cases: readonly CaseResult[]): Changed {
  const changes: Change[] = []
  const findings = entries.flatMap((entry): readonly BaselineEntry[] => {
    const { case: id, verdict, stimuli = [] } = entry
    const [stale] = staleOf(cases, [{ ...entry, accepted: true }])
    if (!stale) return [entry]
    const gone = stale.stimuli ?? []
    const left = stimuli.filter((stimulus) => !gone.includes(stimulus))
    const isWhole = left.length === 0
    changes.push({ kind: isWhole ? 'removed' : 'narrowed', case: id, verdict, stimuli: gone })
    return isWhole ? [] : [{ ...entry, stimuli: left }]
  })
  return { findings, changes }
}
