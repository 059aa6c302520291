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
  const all = suites.flatMap((suite) =>
    suite.cases.map((subject): Planned<S> => ({ id: `${suite.id}/${subject.id}`, suite, subject })),
  )
  for (const name of select.suites ?? []) {
    if (!suites.some(({ id }) => endsIn(id, name))) throw unknown('suite', name, suites)
  }
  for (const name of select.cases ?? []) {
    if (!all.some(({ id }) => endsIn(id, name))) throw unknown('case', name, all)
  }
  const chosen = all.filter(
    ({ id, suite, subject }) =>
      (select.suites?.some((name) => endsIn(suite.id, name)) ?? true) &&
      (select.cases?.some((name) => endsIn(id, name)) ?? true) &&
      (select.levels?.includes(subject.level) ?? true),
  )
  if (chosen.length === 0) {
    throw new TrustspecError('ERR_NOTHING_SELECTED', 'No case matches every selection', {
      ...(select.suites ? { suite: select.suites.join(', ') } : {}),
      ...(select.cases ? { case: select.cases.join(', ') } : {}),
      ...(select.levels ? { level: select.levels.join(', ') } : {}),
      instead: 'see "trustspec list"',
    })
  }
  return chosen
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
