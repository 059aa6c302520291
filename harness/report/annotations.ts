import type { CaseResult, Report } from '../model/result.ts'
import { overdueOf } from './known.ts'
import type { Rendering } from './rendering.ts'
import { standingOf } from './standing.ts'
import type { Standing } from './standing.ts'
import { counted } from './text.ts'
import { findingLine, newFirst, reasonOf, requirementOf, verdictOf } from './words.ts'

/** Annotations of each kind that GitHub shows of a step. */
const MOST = 10

const KINDS = ['error', 'warning', 'notice'] as const

type Kind = (typeof KINDS)[number]

const KIND_OF: Readonly<Partial<Record<Standing, Kind>>> = { failed: 'error', warned: 'warning', upcoming: 'notice' }

/** Workflow commands of GitHub that annotate the source with what is broken, and what of it there is no place for. */
export function annotationsOf({ reports, source }: Rendering): readonly string[] {
  const all = reports.flatMap((report) => {
    const of = report.cases.flatMap((result) => annotationOf(result, report))
    const { cause } = report.preflight
    const isSaid = report.exit.code === 0 || (cause === undefined && of.some(({ kind }) => kind === 'error'))
    // What fails the run is an error here too, also where no case is: a cause, a stale entry, a warning under --strict.
    return isSaid ? of : [runOf(report), ...of]
  })
  return KINDS.flatMap((kind) => {
    const some = all.filter((annotation) => annotation.kind === kind)
    const left = some.length - MOST
    const rest =
      left > 0 ? [`${counted(left, `more ${kind}`)} without an annotation: GitHub shows ${MOST} of a step.`] : []
    return [...some.slice(0, MOST).map((annotation) => command(annotation, source)), ...rest]
  })
}

interface Annotation {
  readonly kind: Kind
  readonly title: string
  readonly message: string
}

function annotationOf(result: CaseResult, { subject, preflight }: Report): readonly Annotation[] {
  const kind = kindOf(result)
  // The cause is told once, not by every case that it makes inconclusive.
  if (kind === undefined || (preflight.cause !== undefined && result.reason === preflight.cause)) return []
  return [{ kind, title: `${result.id}: ${verdictOf(result)}`, message: messageOf(result, subject) }]
}

function runOf(report: Report): Annotation {
  const { subject, preflight, exit } = report
  const { stale, expired } = overdueOf(report)
  const cause = preflight.cause === undefined ? [] : [preflight.cause]
  return {
    kind: 'error',
    title: `trustspec: ${subject}`,
    message: [...cause, exit.meaning, ...stale, ...expired].join('\n'),
  }
}

function kindOf(result: CaseResult): Kind | undefined {
  const standing = standingOf(result)
  if (standing === 'unclear') return result.level === 'MUST' ? 'error' : 'warning'
  return KIND_OF[standing]
}

function messageOf(result: CaseResult, subject: Report['subject']): string {
  const { findings, remedy } = result
  const [first] = newFirst(result)
  if (!first) return `${requirementOf(result, subject)}\n${reasonOf(result)}`
  const more = findings.length - 1
  const rest = more > 0 ? ` (and ${counted(more, 'more stimulus', 'more stimuli')})` : ''
  return `${requirementOf(result, subject)}\n${findingLine(first)}${rest}\nRemedy: ${remedy}`
}

function command({ kind, title, message }: Annotation, source: string | undefined): string {
  const place = source === undefined ? [] : [`file=${escapedProperty(source)}`, 'line=1']
  return `::${kind} ${[...place, `title=${escapedProperty(title)}`].join(',')}::${escapedData(message)}`
}

/** As the runner unescapes what stands behind the second pair of colons. */
function escapedData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapedProperty(text: string): string {
  return escapedData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

/**
 * The output with workflow commands stopped in it: what a target said stands in it, and the runner takes commands from
 * wherever a line begins with one. `token` must not be known to the target.
 */
export function inert(output: string, token: string): string {
  return `::stop-commands::${token}\n${output}${output.endsWith('\n') ? '' : '\n'}::${token}::\n`
}
