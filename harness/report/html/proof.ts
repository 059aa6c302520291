import type { MeasuredProperty } from '../../model/behaviour.ts'
import type { Report } from '../../model/result.ts'
import { counted } from '../text.ts'
import { markup } from './escape.ts'
import type { Markup } from './escape.ts'
import { plotOf } from './plot.ts'
import { icon } from './theme.ts'

/** The behaviour profile: a card for each property, with a plot where there are points. */
export function behaviourOf({ behaviour }: Report): Markup | false {
  if (behaviour.length === 0) return false
  const known = behaviour.filter(({ value }) => value !== undefined)
  const unknown = behaviour.filter(({ value }) => value === undefined)
  return markup`<h3>Behaviour, as measured</h3>
<p class="soft">What it does, whatever is declared; no verdict follows from it.</p>
<dl class="properties">${known.map(property)}</dl>
${
  unknown.length > 0 &&
  markup`<ul class="plain-list">${unknown.map(({ title, why }) => markup`<li><strong>Not measured:</strong> ${title}: ${why}</li>`)}</ul>`
}`
}

function property({ title, value, unit, series }: MeasuredProperty): Markup {
  const text = typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)
  return markup`<div class="property"><dt>${title}</dt><dd><span class="value">${text}${unit !== undefined && markup` <span class="unit">${unit}</span>`}</span>
${series && series.points.length > 1 && markup`<span class="of">${series.y}</span>${plotOf(title, series)}`}</dd></div>`
}

/** What was not proven, and the flag or the declaration that unlocks it. */
export function notProvenOf({ notProven }: Report): Markup | false {
  if (notProven.length === 0) return false
  return markup`<h3>Not proven, and what would prove it</h3>
<ul class="locks">${notProven.map(
    ({
      unlock,
      says,
      cases,
    }) => markup`<li><p>${counted(cases.length, 'case or stimulus needs', 'cases or stimuli need')} ${says}.</p>
<p class="unlock"><span class="soft">To unlock:</span> <code>${unlock}</code></p>
<details><summary>Which<span class="hidden"> need ${says}</span></summary><ul>${cases.map((id) => markup`<li><code>${id}</code></li>`)}</ul></details></li>`,
  )}</ul>`
}

/** What was looked at before the first case. */
export function preflightOf({ preflight, subject }: Report): Markup {
  const { checks, clockOffsetSec = 0, algorithms } = preflight
  return markup`<h3>Before the first case</h3>
<ul class="checks">${checks.map(({ name, ok, detail }) => {
    const tone = ok ? 'good' : 'bad'
    return markup`<li><span class="verdict tone-${tone}">${icon(tone)}<span class="hidden">${ok ? 'fine: ' : 'failed: '}</span></span><span>${name} <span class="soft">${detail}</span></span></li>`
  })}</ul>
${clockOffsetSec !== 0 && markup`<p>The clock of the ${subject} is ${Math.abs(clockOffsetSec)} s ${clockOffsetSec > 0 ? 'ahead' : 'behind'}.</p>`}
${algorithms.length > 0 && markup`<p class="soft">Algorithms tried: ${algorithms.map(({ algorithm, accepted }) => `${algorithm}${accepted ? '' : ' (not accepted)'}`).join(', ')}.</p>`}`
}
