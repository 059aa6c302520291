import type { Verdict } from '../../model/verdict.ts'
import { Markup, markup } from '../html/escape.ts'
import { icon, toneOf } from '../html/theme.ts'
import { countsOf, hasDetail, levelOf } from './model.ts'
import type { MatrixCell, MatrixPart, MatrixRow } from './model.ts'

/** Id of the element that tells what is behind a cell: the case, and the number of the column. */
export function detailId({ id }: Pick<MatrixRow, 'id'>, column: number): string {
  return `${id}/${column}`
}

/** The table of a part: a group of rows for each suite, and a button in each cell that has something to tell. */
export function tableOf({ subject, columns, suites }: MatrixPart): Markup {
  const heads = columns.map(({ name, href }) => markup`<th scope="col">${linked(breakable(name), href)}</th>`)
  const groups = suites.map(
    ({ id, rows }) => markup`<tbody data-suite="${id}">
<tr class="suite"><th scope="rowgroup" colspan="${columns.length + 1}"><span>${id}</span></th></tr>
${rows.map(rowOf)}</tbody>
`,
  )
  return markup`<table class="matrix">
<caption>Verdicts by case: the ${subject} …</caption>
<thead><tr><th scope="col">case</th>${heads}</tr></thead>
${groups}</table>`
}

function rowOf(row: MatrixRow): Markup {
  const { id, suite, title, level, cells, differs } = row
  const verdicts = [...new Set(cells.flatMap((cell) => (cell ? [cell.verdict] : [])))].join(' ')
  const head = markup`<th scope="row"><code>${id.slice(suite.length + 1)}</code> <span class="level">${level}</span><span class="title">${title}</span></th>`
  return markup`<tr id="${id}" data-verdicts="${verdicts}"${differs && markup` data-differs`}>${head}${cells.map((cell, at) => cellOf(cell, row, at))}</tr>
`
}

function cellOf(cell: MatrixCell | undefined, row: MatrixRow, at: number): Markup {
  if (!cell) return markup`<td class="empty"><span class="unseen">not run</span></td>`
  const { verdict, nature } = cell
  const tone = toneOf(verdict)
  const small = [nature, levelOf(cell, row)].filter((one) => one !== undefined).join(', ')
  const text = markup`<span>${icon(tone)}${verdict}</span>${small !== '' && markup`<small>${small}</small>`}`
  return hasDetail(cell)
    ? markup`<td class="tone-${tone}"><button type="button" popovertarget="${detailId(row, at)}">${text}</button></td>`
    : markup`<td class="tone-${tone}"><div>${text}</div></td>`
}

/** The implementations of a part, and how many cases got which verdict. */
export function summaryOf(part: MatrixPart, seen: readonly Verdict[]): Markup {
  const counts = countsOf(part)
  const rows = part.columns.map(({ name, about, href }, at) => {
    const numbers = seen.map((verdict) => {
      const number = counts[at]?.[verdict] ?? 0
      return number === 0 ? markup`<td>0</td>` : markup`<td class="tone-${toneOf(verdict)}"><b>${number}</b></td>`
    })
    return markup`<tr><th scope="row">${linked(name, href)}${about !== undefined && markup`<small>${about}</small>`}</th>${numbers}</tr>
`
  })
  return markup`<table><caption>Cases by verdict</caption>
<thead><tr><th scope="col">${part.subject}</th>${seen.map((verdict) => markup`<th scope="col">${verdict}</th>`)}</tr></thead>
<tbody>
${rows}</tbody></table>`
}

function linked(text: string | readonly (string | Markup)[], href: string | undefined): Markup {
  return href === undefined ? markup`${text}` : markup`<a href="${href}">${text}</a>`
}

/** A name that may be broken behind its hyphens. */
function breakable(name: string): readonly (string | Markup)[] {
  return name.split(/(?<=-)/u).flatMap((part, at) => (at === 0 ? [part] : [Markup.trusted('<wbr>'), part]))
}
