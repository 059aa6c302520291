import { link, markup } from '../html/escape.ts'
import type { Markup } from '../html/escape.ts'
import { icon, toneOf } from '../html/theme.ts'
import { detailId } from './html-table.ts'
import { hasDetail, levelOf, wordsOf } from './model.ts'
import type { MatrixCell, MatrixPart, MatrixRow } from './model.ts'

/** What is behind the cells: each opens over the page; on paper, and where nothing can open, they are a list. */
export function detailsOf({ columns, suites, subject }: MatrixPart): Markup {
  const items = suites
    .flatMap(({ rows }) => rows)
    .flatMap((row) =>
      row.cells.flatMap((cell, at) =>
        cell && hasDetail(cell)
          ? [detailOf(row, cell, { id: detailId(row, at), name: columns[at]?.name ?? '', subject })]
          : [],
      ),
    )
  if (items.length === 0) return markup``
  return markup`<div class="details"><h3>Behind the verdicts</h3>
${items}</div>`
}

interface Place {
  readonly id: string
  readonly name: string
  readonly subject: MatrixPart['subject']
}

function detailOf(row: MatrixRow, cell: MatrixCell, { id, name, subject }: Place): Markup {
  const { verdict, finding, more, reason, known } = cell
  const tone = toneOf(verdict)
  const facts: readonly (readonly [string, string | Markup | undefined])[] = [
    ['stimulus', finding?.stimulus],
    ['expected', finding?.expected],
    ['observed', finding?.observed],
    ['besides', more === undefined ? undefined : `${more} more ${more === 1 ? 'finding' : 'findings'}`],
    ['because', reason],
    [known?.accepted ? 'accepted' : 'known', known?.reason],
    ['remedy', finding && row.remedy],
    ['required by', finding && markup`${row.clause.map(({ title, url }) => markup`<span>${link(url, title)}</span>`)}`],
  ]
  return markup`<article popover id="${id}" aria-labelledby="${id}/name" data-case="${row.id}">
<h3 id="${id}/name">${name} <span class="verdict tone-${tone}">${icon(tone)} ${wordsOf(cell)}</span></h3>
<p><code>${row.id}</code> <span class="level">${levelOf(cell, row) ?? row.level}</span></p>
<p>The ${subject} ${row.title}.</p>
<dl>
${facts.map(([term, text]) => text !== undefined && markup`<dt>${term}</dt><dd>${text}</dd>\n`)}</dl>
<button type="button" class="close" popovertarget="${id}" popovertargetaction="hide">Close</button>
</article>
`
}
