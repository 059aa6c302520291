import type { CaseResult, Report } from '../../model/result.ts'

/** Cases that have a say: what comes with a later edition cannot fail a run. */
export function dueOf({ cases }: Report): readonly CaseResult[] {
  return cases.filter(({ upcoming }) => upcoming === undefined)
}

/** `The origin tornado-repaired`. */
export function nameOf({ subject, target }: Report): string {
  return `The ${target.kind === 'embedded' ? 'embedded ' : ''}${subject}${target.name === undefined ? '' : ` ${target.name}`}`
}

/** The name within a sentence. */
export function lower(name: string): string {
  return `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`
}

/** `one, two and three`. */
export function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}
