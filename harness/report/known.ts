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

/** Entries that have to be struck. */
export function staleOf({ stale, cases }: Report, style: Style): string {
  if (stale.length === 0) return ''
  const lines = stale.map((entry) => {
    const { case: id, verdict, stimuli } = entry
    const judged = cases.find((result) => result.id === id)?.verdict ?? 'judged'
    // With other stimuli it is as it was.
    const isPart = stimuli !== undefined && judged === verdict
    const what = isPart ? `is no longer ${verdict} with ${stimuli.join(', ')}` : `is no longer ${verdict}`
    return wrapped('- ', `${id} ${what}: strike it from the list.`, 2)
  })
  return [paint(style, 'bold', 'Accepted findings that no longer show'), ...lines].join('\n')
}

/** Entries that were accepted for a time that is over. */
export function expiredOf({ expired = [] }: Report, style: Style): string {
  if (expired.length === 0) return ''
  const lines = expired.map(({ case: id, verdict, expires = '' }) =>
    wrapped('- ', `${id} is ${verdict}, and was accepted until ${expires}: mend it, or agree upon another day.`, 2),
  )
  return [paint(style, 'bold', 'Accepted findings that have expired'), ...lines].join('\n')
}
