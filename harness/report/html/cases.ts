import type { CaseResult, Report } from '../../model/result.ts'
import { VERDICTS } from '../../model/verdict.ts'
import { caseRow } from './case.ts'
import { markup } from './escape.ts'
import type { Markup } from './escape.ts'
import { HOPS, hopOf } from './hops.ts'
import { icon, toneOf } from './theme.ts'

interface Item {
  readonly result: CaseResult
  readonly row: () => Markup
}

/** All cases by hop and suite, with what filters them. */
export function casesOf(reports: readonly Report[]): Markup {
  const items = reports.flatMap((report, at) => {
    const place = { report: at, subject: report.subject, cause: report.preflight.cause }
    return report.cases.map((result): Item => ({ result, row: () => caseRow(result, place) }))
  })
  const causes = new Set(reports.map(({ preflight }) => preflight.cause))
  const present = HOPS.filter(({ id }) => items.some(({ result }) => hopOf(result.suite) === id))
  return markup`<section id="cases" aria-labelledby="cases-title">
<h2 id="cases-title">Cases</h2>
${filters(items)}
${present.map(
  ({ id, name, asks }) => markup`<section class="group" id="hop-${id}" data-hop="${id}" tabindex="-1">
<h3>${name}</h3><p class="soft">${asks}</p>
${suitesOf(items.filter(({ result }) => hopOf(result.suite) === id)).map((suite) => suitePart(suite, causes))}
</section>`,
)}
<p id="nothing" hidden>No case matches. <button type="button" class="clear">Show all cases</button></p>
</section>`
}

function suitesOf(items: readonly Item[]): readonly (readonly Item[])[] {
  return [...Map.groupBy(items, ({ result }) => result.suite).values()]
}

/** A suite is open where it has something to tell beyond the cause that all share. */
function suitePart(items: readonly Item[], causes: ReadonlySet<string | undefined>): Markup {
  const [first] = items
  const isTold = ({ verdict, reason }: CaseResult): boolean =>
    verdict === 'pass' ||
    verdict === 'skip' ||
    verdict === 'info' ||
    (verdict === 'inconclusive' && reason !== undefined && causes.has(reason))
  const isOpen = items.some(({ result }) => !isTold(result))
  const rank = ({ result }: Item): number => (isTold(result) ? VERDICTS.length : VERDICTS.indexOf(result.verdict))
  const counts = VERDICTS.flatMap((verdict) => {
    const number = items.filter(({ result }) => result.verdict === verdict).length
    return number === 0
      ? []
      : [markup`<span class="count tone-${toneOf(verdict)}">${icon(toneOf(verdict))}${number} ${verdict}</span>`]
  })
  return markup`<details class="suite" data-suite="${first?.result.suite ?? ''}"${isOpen && markup` open`}>
<summary><h4>${first?.result.suite ?? ''}</h4><span class="counts">${counts}</span></summary>
<ul class="rows">${items.toSorted((one, other) => rank(one) - rank(other)).map(({ row }) => row())}</ul>
</details>`
}

function filters(items: readonly Item[]): Markup {
  const values = (pick: (result: CaseResult) => string): readonly string[] => [
    ...new Set(items.map(({ result }) => pick(result))),
  ]
  const present = new Set(values(({ verdict }) => verdict))
  return markup`<form id="filters" role="search" aria-label="Filter the cases" hidden>
<label class="wide">Search <input type="search" name="words" autocomplete="off" placeholder="kid, exp, 5xx…"></label>
${choice(
  'verdict',
  'Verdict',
  VERDICTS.filter((verdict) => present.has(verdict)),
)}
${choice(
  'level',
  'Level',
  values(({ level }) => level),
)}
${choice(
  'suite',
  'Suite',
  values(({ suite }) => suite),
)}
<button type="reset">Clear</button>
<p id="shown" role="status"></p>
</form>`
}

function choice(name: string, label: string, values: readonly string[]): Markup {
  return markup`<label>${label} <select name="${name}"><option value="">all</option>${values.map((value) => markup`<option value="${value}">${value}</option>`)}</select></label>`
}
