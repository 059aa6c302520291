import { allCases, CHAIN_SUITES, GATEWAY_SUITES, SUITES } from '../../suites/catalog.ts'
import type { AnySuite } from '../../suites/catalog.ts'
import { MUTANTS } from './catalog.ts'
import { CHAIN_MUTANTS } from './chain/catalog.ts'
import { GATEWAY_MUTANTS } from './gateway/catalog.ts'

/** What the matrix has to know of a mutant; the tests show that it fails exactly these cases. */
interface Killer {
  readonly id: string
  readonly flaw: string
  readonly kills: readonly string[]
}

/** A subject with what is required of it and what breaks it. */
interface Part {
  readonly subject: string
  readonly suites: readonly AnySuite[]
  readonly mutants: readonly Killer[]
}

const PARTS: readonly Part[] = [
  { subject: 'origin', suites: SUITES, mutants: MUTANTS },
  { subject: 'gateway', suites: GATEWAY_SUITES, mutants: GATEWAY_MUTANTS },
  { subject: 'chain', suites: CHAIN_SUITES, mutants: CHAIN_MUTANTS },
]

/** Full ids of judged cases that no mutant is declared to fail: they would prove nothing. */
export function unprovenCases(): readonly string[] {
  return PARTS.flatMap(({ suites, mutants }) =>
    allCases(suites)
      .filter(({ id, case: { level } }) => level !== 'INFO' && !mutants.some(({ kills }) => kills.includes(id)))
      .map(({ id }) => id),
  )
}

/** The kill matrix in Markdown: every case with the mutants that it unmasks. */
export function formatMatrix(): string {
  return [
    '# Kill matrix',
    '',
    'Made by `npm run mutants -- --write`. Each mutant is the reference implementation with one step replaced; a case that no mutant fails would prove nothing.',
    ...PARTS.flatMap(sectionOf),
    '',
  ].join('\n')
}

function sectionOf({ subject, suites, mutants }: Part): readonly string[] {
  const rows = allCases(suites).map(({ id, case: { level } }) => {
    const killers = mutants.filter(({ kills }) => kills.includes(id)).map((mutant) => mutant.id)
    return `| ${id} | ${level} | ${killers.join(', ')} |`
  })
  return [
    '',
    `## Cases about the ${subject}, and the mutants that fail them`,
    '',
    '| case | level | failed by |',
    '| --- | --- | --- |',
    ...rows,
    '',
    `## Mutants of the ${subject}`,
    '',
    `| mutant | the ${subject} … | cases that it fails |`,
    '| --- | --- | --- |',
    ...mutants.map(({ id, flaw, kills }) => `| ${id} | ${flaw} | ${kills.length} |`),
  ]
}
