import { ALL_SUITES, allCases } from '../../suites/catalog.ts'
import type { AnySuite } from '../../suites/catalog.ts'
import { CURRENT_EDITION, editionNamed, EDITIONS } from '../../suites/editions.ts'
import { expectedBy, readBaseline } from '../config/baseline.ts'
import type { GateConfig } from '../config/gate-shape.ts'
import type { Edition } from '../model/edition.ts'
import { FAIL_ON_WORDS, failingBy } from '../model/fail-on.ts'
import type { FailOnWord } from '../model/fail-on.ts'
import { nearest } from '../model/nearest.ts'
import { FAILS_BY_DEFAULT } from '../model/verdict.ts'
import type { Verdict } from '../model/verdict.ts'
import { monotonicMs } from '../runner/budget.ts'
import type { GateOptions } from '../runner/options.ts'
import { listOf, numberOf, textOf, usage } from './args.ts'
import type { Given } from './args.ts'

/** Longest time budget, in seconds: a day. */
const MOST_SECONDS = 86_400

const MOST_REQUESTS = 1_000_000_000

/** What fails the run and what bounds it, by the flags and, where they say nothing, the configuration. */
export function gateOf(given: Given, configured: GateConfig = {}): GateOptions & { readonly edition: Edition } {
  const file = textOf(given, 'baseline') ?? configured.baseline
  return {
    failOn: failOnOf(given, configured),
    edition: editionOf(given, configured.edition),
    budget: budgetOf(given),
    ...(file === undefined ? {} : { baseline: expectedBy(readBaseline(file, caseIds())) }),
  }
}

/** Full ids of all cases. */
export function caseIds(): readonly string[] {
  return allCases<AnySuite>(ALL_SUITES).map(({ id }) => id)
}

/** The edition of the flag, or by default this one; ERR_USAGE where there is none. */
export function editionOf(given: Given, configured: string = CURRENT_EDITION): Edition {
  const flag = textOf(given, 'edition')
  const name = flag ?? configured
  const edition = editionNamed(name)
  if (edition) return edition
  const place = flag === undefined ? { member: 'edition' } : { flag: '--edition' }
  throw usage('There is no such edition', { ...place, given: name, instead: EDITIONS.join(', ') })
}

function failOnOf(given: Given, configured: GateConfig): readonly Verdict[] {
  const words = listOf(given, 'fail-on')
  const isStrict = given.values['strict'] === true
  const isLax = given.values['allow-inconclusive'] === true
  if (words && (isStrict || isLax)) {
    throw usage('Two flags say what fails the run', {
      given: `--fail-on and --${isStrict ? 'strict' : 'allow-inconclusive'}`,
      instead: `--fail-on ${isStrict ? 'should,inconclusive' : 'must'} alone`,
    })
  }
  if (words) return failingBy(words.length === 0 ? [wordOf('')] : combined(words.map(wordOf), { flag: '--fail-on' }))
  if (isStrict || isLax) {
    return failingBy([isStrict ? 'should' : 'must', ...(isLax ? [] : (['inconclusive'] as const))])
  }
  return configured.failOn ? failingBy(combined(configured.failOn, { member: 'failOn' })) : FAILS_BY_DEFAULT
}

function wordOf(name: string): FailOnWord {
  const word = FAIL_ON_WORDS.find((known) => known === name.toLowerCase())
  if (word !== undefined) return word
  throw usage('There is no such thing to fail on', {
    flag: '--fail-on',
    given: name === '' ? 'nothing' : name,
    instead: `${nearest(name, FAIL_ON_WORDS)}, out of ${FAIL_ON_WORDS.join(', ')}`,
  })
}

function combined(words: readonly FailOnWord[], place: Readonly<Record<string, string>>): readonly FailOnWord[] {
  if (!words.includes('never') || words.every((word) => word === 'never')) return words
  const others = words.filter((word) => word !== 'never')
  throw usage('To fail on something and never is a contradiction', {
    ...place,
    given: words.join(','),
    instead: `never, or ${others.join(',')}`,
  })
}

function budgetOf(given: Given): GateOptions['budget'] & object {
  const requests = numberOf(given, 'max-requests', 1, MOST_REQUESTS)
  const seconds = numberOf(given, 'time-budget', 1, MOST_SECONDS)
  return {
    ...(requests === undefined ? {} : { requests }),
    ...(seconds === undefined ? {} : { time: { seconds, untilMs: monotonicMs() + seconds * 1000 } }),
  }
}
