import { ALL_SUITES, allCases } from '../../suites/catalog.ts'
import type { AnySuite, CatalogEntry } from '../../suites/catalog.ts'
import { ORIGIN_CAPABILITIES } from '../model/capabilities.ts'
import type { Capability } from '../model/capabilities.ts'
import type { Subject } from '../model/case.ts'
import { CHAIN_CAPABILITIES } from '../model/chain-capabilities.ts'
import { GATEWAY_CAPABILITIES } from '../model/gateway-capabilities.ts'
import { CLAUSES } from '../model/clauses.ts'
import { paint, wrapped } from '../report/text.ts'
import type { Style } from '../report/text.ts'
import { suitesIn } from '../runner/edition.ts'
import { listOf, usage } from './args.ts'
import type { Given } from './args.ts'
import { nearest } from '../model/nearest.ts'
import { assertKnown } from '../runner/select.ts'
import { editionOf } from './gate.ts'
import { SUITES_OF } from './selection.ts'
import { subjectNamed } from './subject.ts'

const CAPABILITIES: Readonly<Record<Subject, Readonly<Record<string, Capability>>>> = {
  origin: ORIGIN_CAPABILITIES,
  gateway: GATEWAY_CAPABILITIES,
  chain: CHAIN_CAPABILITIES,
}

/** The cases as lines, or as JSON. */
export function listCases(given: Given): string {
  const suites = listOf(given, 'suite')
  const subject = subjectNamed(given)
  const edition = editionOf(given)
  const all = allCases(suitesIn<AnySuite>(subject === undefined ? ALL_SUITES : SUITES_OF[subject], edition))
  assertKnown(subject === undefined ? ALL_SUITES : SUITES_OF[subject], suites ? { suites } : {})
  const entries = all.filter(
    ({ suite }) => suites?.some((name) => suite.id === name || suite.id.endsWith(`/${name}`)) ?? true,
  )
  if (given.values['json'] === true) {
    const rows = entries.map(({ id, case: { title, level, clause, needs } }) => {
      const upcoming = edition.upcoming[id]
      return { id, title, level, clause, needs, ...(upcoming === undefined ? {} : { upcoming }) }
    })
    return JSON.stringify(rows, undefined, 2)
  }
  return entries
    .map(({ id, case: { level, title } }) => {
      const upcoming = edition.upcoming[id]
      const mark = upcoming === undefined ? '' : `  upcoming: counts from ${upcoming} on`
      return `${level.padEnd(6)}  ${id}${mark}\n        The ${subjectOf(id)} ${title}.`
    })
    .join('\n')
}

/** Everything that there is to say about a case; ERR_USAGE when there is none of that name, or several. */
export function explainCase(name: string | undefined, style: Style): string {
  const { id, case: subject, suite } = find(name)
  const capabilities = CAPABILITIES[subjectOf(id)]
  const says = (name: string): string => capabilities[name]?.says ?? name
  const unlocks = subject.needs.map((need) => wrapped('- ', `${says(need)}: ${capabilities[need]?.unlock ?? need}`, 2))
  const snippets = Object.entries(subject.snippets ?? {}).map(
    ([library, code]) => `  ${library}\n    ${code.replaceAll('\n', '\n    ')}`,
  )
  return [
    `${paint(style, 'bold', id)}  ${subject.level}${subject.drops ? ` (${subject.drops.to} without ${says(subject.drops.without)})` : ''}`,
    wrapped('', `${suite.title}: the ${subjectOf(id)} ${subject.title}.`, 0),
    '',
    paint(style, 'bold', 'Required by'),
    ...subject.clause.map((clause) => wrapped('- ', `${CLAUSES[clause].title}  ${CLAUSES[clause].url}`, 2)),
    paint(style, 'bold', 'Why'),
    wrapped('', subject.rationale, 2),
    paint(style, 'bold', 'How to meet it'),
    wrapped('', subject.remedy, 2),
    ...snippets,
    ...(unlocks.length === 0 ? [] : [paint(style, 'bold', 'Needs'), ...unlocks]),
  ].join('\n')
}

function subjectOf(id: string): Subject {
  return id.startsWith('gateway') ? 'gateway' : id.startsWith('chain') ? 'chain' : 'origin'
}

function find(name: string | undefined): CatalogEntry<AnySuite> {
  const all = allCases<AnySuite>(ALL_SUITES)
  const ids = all.map(({ id }) => id)
  if (name === undefined)
    throw usage('The case is missing', { command: 'explain', instead: 'explain CASE; see "trustspec list"' })
  const found = all.filter(({ id }) => id === name || id.endsWith(`/${name}`))
  const [only] = found
  if (only && found.length === 1) return only
  if (only)
    throw usage('Several cases have this name', { given: name, instead: found.map(({ id }) => id).join(' or ') })
  const short = ids.map((id) => id.slice(id.lastIndexOf('/') + 1))
  const likely = nearest(name.slice(name.lastIndexOf('/') + 1), short)
  throw usage('There is no such case', { given: name, instead: ids.find((id) => id.endsWith(`/${likely}`)) ?? likely })
}
