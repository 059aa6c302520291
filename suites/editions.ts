import type { Edition } from '../harness/model/edition.ts'
import { ALL_SUITES, allCases } from './catalog.ts'
import type { AnySuite } from './catalog.ts'
import { CASES as OF_2026_1 } from './editions/2026.1.ts'

/** Every released edition, the oldest first. */
const RELEASED: readonly Pick<Edition, 'name' | 'cases'>[] = [{ name: '2026.1', cases: OF_2026_1 }]

/** Name of the edition that new cases and raised levels come with. */
export const NEXT_EDITION = '2026.2'

/** Names of the editions that can be chosen, the oldest first. */
export const EDITIONS: readonly string[] = RELEASED.map(({ name }) => name)

/** Name of the edition that counts where none is chosen; it changes with a major version of trustspec alone. */
export const CURRENT_EDITION = '2026.1'

/** The edition that a case came with, or is to come with. */
export function editionOf(id: string): string {
  return RELEASED.find(({ cases }) => Object.hasOwn(cases, id))?.name ?? NEXT_EDITION
}

/** The edition of that name; undefined where there is none. */
export function editionNamed(name: string): Edition | undefined {
  const found = RELEASED.find((edition) => edition.name === name)
  if (!found) return undefined
  const later = allCases<AnySuite>(ALL_SUITES).filter(({ id }) => !Object.hasOwn(found.cases, id))
  return { ...found, upcoming: Object.fromEntries(later.map(({ id }) => [id, editionOf(id)])) }
}
