import type { Subject } from '../model/case.ts'
import type { CaseResult, Finding } from '../model/result.ts'

/** The requirement as a sentence: `The origin refuses a token of another issuer.` */
export function requirementOf({ title }: Pick<CaseResult, 'title'>, subject: Subject): string {
  return `The ${subject} ${title}.`
}

/** The verdict, with what a broken recommendation came to: `warn (fail-open)`. */
export function verdictOf({ verdict, nature }: CaseResult): string {
  return nature === undefined ? verdict : `${verdict} (${nature})`
}

/** Why a case was not judged, or not to its end: the reason, and what would unlock it. */
export function reasonOf({ reason, missing }: CaseResult): string {
  const needs = missing.map(({ says, unlock }) => `needs ${says}: ${unlock}`)
  return [...(reason === undefined ? [] : [reason]), ...needs].join('; ') || 'no reason is known'
}

/** Why a result does not fail the run although it could: accepted, or not counted yet. */
export function excuseOf({ known, upcoming }: CaseResult): string {
  if (upcoming !== undefined) return `Counts from edition ${upcoming} on.`
  const until = known?.expires === undefined ? '' : ` until ${known.expires}`
  const issue = known?.issue === undefined ? '' : ` (${known.issue})`
  return `Accepted${until}: ${known?.reason ?? ''}${issue}`
}

/** Findings that are new before those that are known. */
export function newFirst({ findings }: CaseResult): readonly Finding[] {
  return findings.toSorted((one, other) => Number(one.known ?? false) - Number(other.known ?? false))
}

/** A finding in one line. */
export function findingLine({ stimulus, expected, observed }: Finding): string {
  return `${stimulus}: expected ${expected}, observed ${observed}`
}

/** All that there is to say about a result, as lines of plain text for formats that hold no more than text. */
export function linesOf(result: CaseResult, subject: Subject): readonly string[] {
  const { clause, known, measured, notProven } = result
  const findings = newFirst(result)
  const judged = findings.length > 0
  return [
    requirementOf(result, subject),
    ...(judged ? clause.map(({ title, url }) => `required by  ${title}  ${url}`) : []),
    ...(result.reason === undefined ? [] : [`because      ${result.reason}`]),
    ...findings.flatMap((finding) => ['', ...findingLines(finding)]),
    ...(judged ? ['', `why          ${result.rationale}`, `remedy       ${result.remedy}`] : []),
    ...(known ? [known.accepted ? excuseOf(result) : `known        ${known.reason}`] : []),
    ...(result.upcoming === undefined ? [] : [excuseOf(result)]),
    ...Object.entries(measured).map(([name, value]) => `measured     ${name}: ${value}`),
    ...notProven.map(({ stimulus, reason }) => `not proven   ${stimulus}: ${reason}`),
  ]
}

function findingLines({ stimulus, expected, observed, evidence, known }: Finding): readonly string[] {
  return [
    `stimulus     ${stimulus}${known === true ? ' (known)' : ''}`,
    `expected     ${expected}`,
    `observed     ${observed}`,
    ...(evidence?.curl === undefined ? [] : [`reproduce    ${evidence.curl}`]),
  ]
}
