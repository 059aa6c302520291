import type { Edition } from '../model/edition.ts'

/** What an edition has to know of a suite, whatever it is about. */
interface Leveled {
  readonly id: string
  readonly cases: readonly { readonly id: string; readonly drops?: unknown }[]
}

/**
 * The suites with the levels of the edition, and what they drop to; a case that is not in it keeps its own. Without an
 * edition, the suites as they are.
 */
export function suitesIn<S extends Leveled>(suites: readonly S[], edition: Edition | undefined): readonly S[] {
  if (!edition) return suites
  return suites.map((suite) => ({
    ...suite,
    cases: suite.cases.map((item) => {
      const id = `${suite.id}/${item.id}`
      const frozen = Object.hasOwn(edition.cases, id) ? edition.cases[id] : undefined
      if (!frozen) return item
      const { drops: _, ...rest } = item
      return { ...rest, ...frozen }
    }),
  }))
}
