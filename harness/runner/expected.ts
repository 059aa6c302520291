import type { CaseResult, ExpectedFinding, Finding } from '../model/result.ts'

/** What results are held against besides the requirements. */
export interface Expectations {
  /** The first one that matches counts. */
  readonly expected: readonly ExpectedFinding[]
  /** `2026-12-31`, UTC. */
  readonly today: string
}

type Judged = Pick<CaseResult, 'id' | 'verdict' | 'findings' | 'notProven' | 'reason'>

/** The expected finding that the result is, once it is no new one; else its findings, with those that are known. */
export function recognised(
  { id, verdict, findings }: Pick<Judged, 'id' | 'verdict' | 'findings'>,
  { expected, today }: Expectations,
): { readonly findings: readonly Finding[]; readonly known?: ExpectedFinding } {
  const entry = expected.find((one) => one.case === id && one.verdict === verdict)
  if (!entry) return { findings }
  const isOver = isExpired(entry, today)
  const isNew = ({ stimulus }: Finding): boolean => entry.stimuli?.includes(stimulus) === false
  if (!findings.some(isNew)) return { findings, known: isOver ? { ...entry, accepted: false } : entry }
  return { findings: findings.map((finding) => (isOver || isNew(finding) ? finding : { ...finding, known: true })) }
}

/**
 * Accepted findings that did not show as they were accepted. What was not selected, was skipped or is inconclusive
 * tells nothing; where only some stimuli of one no longer show, it is told with these alone.
 */
export function staleOf(cases: readonly Judged[], expected: readonly ExpectedFinding[]): readonly ExpectedFinding[] {
  const results = new Map(cases.map((result) => [result.id, result]))
  return expected.flatMap((entry): readonly ExpectedFinding[] => {
    const result = results.get(entry.case)
    if (!entry.accepted || !result || result.verdict === 'skip') return []
    if (result.verdict !== entry.verdict) return result.verdict === 'inconclusive' ? [] : [entry]
    const gone = goneOf(entry, result)
    return gone.length === 0 ? [] : [{ ...entry, stimuli: gone }]
  })
}

/** Stimuli of the entry that were sent, and no longer show. */
function goneOf({ stimuli = [] }: ExpectedFinding, { findings, notProven, reason }: Judged): readonly string[] {
  // A case that was left before its end may not have sent them: after a hang it sends nothing more.
  const wasLeft = reason !== undefined || findings.some(({ evidence }) => evidence?.failure === 'timeout')
  if (wasLeft) return []
  const told = new Set([...findings, ...notProven].map(({ stimulus }) => stimulus))
  return stimuli.filter((stimulus) => !told.has(stimulus))
}

/** Accepted findings that still show, and were accepted until a day that is past. */
export function expiredOf(
  cases: readonly Pick<Judged, 'id' | 'verdict'>[],
  { expected, today }: Expectations,
): readonly ExpectedFinding[] {
  const verdicts = new Map(cases.map(({ id, verdict }) => [id, verdict]))
  return expected.filter(
    (entry) => entry.accepted && isExpired(entry, today) && verdicts.get(entry.case) === entry.verdict,
  )
}

function isExpired({ expires }: ExpectedFinding, today: string): boolean {
  return expires !== undefined && expires < today
}
