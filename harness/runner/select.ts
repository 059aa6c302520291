import type { ConformanceCase, Subject, Suite } from '../model/case.ts'
import { TrustspecError } from '../model/errors.ts'
import { nearest } from '../model/nearest.ts'
import type { Level } from '../model/verdict.ts'
import type { Selection } from './options.ts'

/** A case with the suite that it is in. */
export interface Planned<S extends Subject = 'origin'> {
  /** Full id. */
  readonly id: string
  readonly suite: Suite<S>
  readonly subject: ConformanceCase<S>
}

/** What can be said of a planned case whatever it is about. */
export interface PlannedFrame {
  readonly id: string
  readonly suite: { readonly id: string }
  readonly subject: Pick<
    ConformanceCase,
    'title' | 'level' | 'clause' | 'rationale' | 'remedy' | 'snippets' | 'runs'
  > & {
    readonly needs: readonly string[]
    readonly drops?: { readonly without: string; readonly to: Level }
  }
}

/** The selected cases in the order of the catalogue; ERR_USAGE for an unknown name, ERR_NOTHING_SELECTED for none. */
export function plan<S extends Subject>(suites: readonly Suite<S>[], select: Selection): readonly Planned<S>[] {
  assertKnown(suites, select)
  const all = suites.flatMap((suite) =>
    suite.cases.map((subject): Planned<S> => ({ id: `${suite.id}/${subject.id}`, suite, subject })),
  )
  const ids = new Set(chosenFrom(suites, select))
  if (ids.size === 0) throw nothingSelected(select)
  return all.filter(({ id }) => ids.has(id))
}

/** What selecting needs to know of a suite, whatever it is about. */
export interface SelectableSuite {
  readonly id: string
  readonly cases: readonly { readonly id: string; readonly level: Level }[]
}

/** Full ids of the selected cases, in the order of the catalogue; none where nothing matches. */
export function chosenFrom(suites: readonly SelectableSuite[], select: Selection): readonly string[] {
  return suites.flatMap((suite) =>
    suite.cases
      .filter(
        ({ id, level }) =>
          (select.suites?.some((name) => endsIn(suite.id, name)) ?? true) &&
          (select.cases?.some((name) => endsIn(`${suite.id}/${id}`, name)) ?? true) &&
          (select.levels?.includes(level) ?? true),
      )
      .map(({ id }) => `${suite.id}/${id}`),
  )
}

/** ERR_USAGE for a suite or a case that none of the suites knows, with the nearest one. */
export function assertKnown(suites: readonly SelectableSuite[], select: Selection): void {
  const all = suites.flatMap((suite) => suite.cases.map(({ id }) => ({ id: `${suite.id}/${id}` })))
  for (const name of select.suites ?? []) {
    if (!suites.some(({ id }) => endsIn(id, name))) throw unknown('suite', name, suites)
  }
  for (const name of select.cases ?? []) {
    if (!all.some(({ id }) => endsIn(id, name))) throw unknown('case', name, all)
  }
}

/** The error for a selection that nothing matches. */
export function nothingSelected(select: Selection): TrustspecError {
  return new TrustspecError('ERR_NOTHING_SELECTED', 'No case matches every selection', {
    ...(select.suites ? { suite: select.suites.join(', ') } : {}),
    ...(select.cases ? { case: select.cases.join(', ') } : {}),
    ...(select.levels ? { level: select.levels.join(', ') } : {}),
    instead: 'see "trustspec list"',
  })
}

function endsIn(id: string, name: string): boolean {
  return id === name || id.endsWith(`/${name}`)
}

function unknown(what: 'suite' | 'case', name: string, known: readonly { readonly id: string }[]): TrustspecError {
  const last = (id: string): string => id.slice(id.lastIndexOf('/') + 1)
  const likely = nearest(
    last(name),
    known.map(({ id }) => last(id)),
  )
  const instead = known.find(({ id }) => last(id) === likely)?.id ?? likely
  return new TrustspecError('ERR_USAGE', `There is no such ${what}`, { [what]: name, instead })
}
