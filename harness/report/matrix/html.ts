import { VERDICTS } from '../../model/verdict.ts'
import type { Verdict } from '../../model/verdict.ts'
import { documentOf } from '../html/document.ts'
import { markup } from '../html/escape.ts'
import type { Markup } from '../html/escape.ts'
import { THEME, verdictMark } from '../html/theme.ts'
import { detailsOf } from './html-details.ts'
import { SCRIPT } from './html-script.ts'
import { STYLE } from './html-style.ts'
import { summaryOf, tableOf } from './html-table.ts'
import { countsOf, HEADINGS, MEANINGS } from './model.ts'
import type { MatrixPage, MatrixPart } from './model.ts'

/** The matrix as a page that loads nothing; its script filters, and all of it can be read without. */
export function matrixHtml({ title, intro, parts }: MatrixPage): string {
  const seen = VERDICTS.filter((verdict) => parts.some((part) => countsOf(part).some((counts) => counts[verdict] > 0)))
  const body = markup`<header>
<h1>${title}</h1>
${intro.map((paragraph) => markup`<p>${paragraph}</p>\n`)}
<ul class="legend">
${seen.map((verdict) => markup`<li>${verdictMark(verdict)} ${MEANINGS[verdict]}</li>\n`)}
</ul>
${parts.length > 1 && markup`<nav aria-label="Parts">${parts.map(({ subject }) => markup`<a href="#${subject}">${HEADINGS[subject]}</a> `)}</nav>`}
</header>
${filters(parts, seen)}
<main>
${parts.map((part) => sectionOf(part, seen))}
</main>`
  return documentOf({ title, style: `${THEME}${STYLE}`, script: SCRIPT, body })
}

/** Hidden until the script can serve it. */
function filters(parts: readonly MatrixPart[], seen: readonly Verdict[]): Markup {
  const option = (text: string): Markup => markup`<option>${text}</option>`
  return markup`<form class="filters" role="search" aria-label="Filter the cases" hidden>
<label>Search <input type="search" name="text" placeholder="case or finding"></label>
<label>Suite <select name="suite"><option value="">all</option>${parts.flatMap(({ suites }) => suites.map(({ id }) => option(id)))}</select></label>
<label>Verdict <select name="verdict"><option value="">any</option>${seen.map(option)}</select></label>
<label class="check"><input type="checkbox" name="differs"> only differences</label>
<output></output>
</form>`
}

function sectionOf(part: MatrixPart, seen: readonly Verdict[]): Markup {
  const { subject } = part
  return markup`<section id="${subject}" aria-labelledby="${subject}-heading">
<h2 id="${subject}-heading">${HEADINGS[subject]}</h2>
<div class="scroll summary" role="region" aria-label="${HEADINGS[subject]}: cases by verdict" tabindex="0">
${summaryOf(part, seen)}
</div>
<div class="scroll" role="region" aria-label="${HEADINGS[subject]}: verdicts by case" tabindex="0">
${tableOf(part)}
</div>
${detailsOf(part)}
</section>
`
}
