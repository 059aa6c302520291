import { CHAIN_SUITES, GATEWAY_SUITES, SUITES } from '../../suites/catalog.ts'
import type { AnySuite } from '../../suites/catalog.ts'
import type { Subject } from '../model/case.ts'
import type { Edition } from '../model/edition.ts'
import type { Level } from '../model/verdict.ts'
import { suitesIn } from '../runner/edition.ts'
import type { Selection } from '../runner/options.ts'
import { assertKnown, chosenFrom, nothingSelected } from '../runner/select.ts'
import { listOf, usage } from './args.ts'
import type { Given } from './args.ts'

/** Suites by what they are about. */
export const SUITES_OF: Readonly<Record<Subject, readonly AnySuite[]>> = {
  origin: SUITES,
  gateway: GATEWAY_SUITES,
  chain: CHAIN_SUITES,
}

/** A subject of which something is selected. */
export interface SelectedPart {
  readonly subject: Subject
  /** The selection without the names of other subjects. */
  readonly select: Selection
  readonly count: number
}

const LEVELS: readonly Level[] = ['MUST', 'SHOULD', 'MAY', 'INFO']

/** The cases that were asked for. */
export function selectionOf(given: Given): Selection {
  const suites = listOf(given, 'suite')
  const cases = listOf(given, 'case')
  const levels = listOf(given, 'level')?.map((name) => {
    const level = LEVELS.find((known) => known === name.toUpperCase())
    if (level === undefined)
      throw usage('There is no such level', { flag: '--level', given: name, instead: LEVELS.join(', ') })
    return level
  })
  return { ...(suites ? { suites } : {}), ...(cases ? { cases } : {}), ...(levels ? { levels } : {}) }
}

/**
 * What is selected of each subject; those of which nothing is are left out. ERR_USAGE for a name that none of them
 * knows, ERR_NOTHING_SELECTED where all are left out.
 */
export function selectParts(
  subjects: readonly Subject[],
  select: Selection,
  edition?: Edition,
): readonly SelectedPart[] {
  assertKnown(
    subjects.flatMap((subject) => SUITES_OF[subject]),
    select,
  )
  const parts = subjects.flatMap((subject): readonly SelectedPart[] => {
    const chosen = chosenFrom(suitesIn(SUITES_OF[subject], edition), select)
    return chosen.length === 0
      ? []
      : [{ subject, select: { ...select, ...narrowed(subject, select) }, count: chosen.length }]
  })
  if (parts.length === 0) throw nothingSelected(select)
  return parts
}

function narrowed(subject: Subject, { suites, cases }: Selection): Selection {
  const own = SUITES_OF[subject]
  const isOwn = (select: Selection): boolean => chosenFrom(own, select).length > 0
  return {
    ...(suites ? { suites: suites.filter((name) => isOwn({ suites: [name] })) } : {}),
    ...(cases ? { cases: cases.filter((name) => isOwn({ cases: [name] })) } : {}),
  }
}
