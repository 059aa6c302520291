import type { CaseResult, Report } from '../model/result.ts'
import { counted, paint, wrapped } from './text.ts'
import type { Style } from './text.ts'

/** What is known of a finding: why, since when it is no more, and where it is worked on. */
export function knownOf({ known, findings }: CaseResult): readonly string[] {
  if (known) {
    const { accepted, reason, expires, issue } = known
    const label = accepted ? 'accepted     ' : expires === undefined ? 'known        ' : 'expired      '
    const until = expires === undefined ? '' : ` (${accepted ? 'until' : 'was accepted until'} ${expires})`
    return [
      wrapped(label, `${reason}${until}`, 4),
      // Never wrapped, so that it can be copied.
      ...(issue === undefined ? [] : [`    issue        ${issue}`]),
    ]
  }
  const old = findings.filter((finding) => finding.known === true).length
  if (old === 0) return []
  return [
    wrapped(
      'new          ',
      `${findings.length - old} of ${counted(findings.length, 'finding')}, the others are known`,
      4,
    ),
  ]
}

/** A sentence for each entry that has to be struck, and for each that was accepted for a time that is over. */
export function overdueOf({
  stale,
  expired = [],
  cases,
}: Pick<Report, 'stale' | 'expired' | 'cases'>): Readonly<Record<'stale' | 'expired', readonly string[]>> {
  return {
    stale: stale.map(({ case: id, verdict, stimuli }) => {
      const judged = cases.find((result) => result.id === id)?.verdict ?? 'judged'
      // With other stimuli it is as it was.
      const isPart = stimuli !== undefined && judged === verdict
      const what = isPart ? `is no longer ${verdict} with ${stimuli.join(', ')}` : `is no longer ${verdict}`
      return `${id} ${what}: strike it from the list.`
    }),
    expired: expired.map(
      ({ case: id, verdict, expires = '' }) =>
        `${id} is ${verdict}, and was accepted until ${expires}: mend it, or agree upon another day.`,
    ),
  }
}

/** Entries that have to be struck. */
export function staleOf(report: Report, style: Style): string {
  return listOf('Accepted findings that no longer show', overdueOf(report).stale, style)
}

/** Entries that were accepted for a time that is over. */
export function expiredOf(report: Report, style: Style): string {
  return listOf('Accepted findings that have expired', overdueOf(report).expired, style)
}

function listOf(heading: string, sentences: readonly string[], style: Style): string {
  if (sentences.length === 0) return ''
  return [paint(style, 'bold', heading), ...sentences.map((sentence) => wrapped('- ', sentence, 2))].join('\n')
}
