import type { Report } from '../../model/result.ts'
import { VERDICTS } from '../../model/verdict.ts'
import type { Verdict } from '../../model/verdict.ts'
import type { Renderer } from '../rendering.ts'
import { anchorOf } from './case.ts'
import { casesOf } from './cases.ts'
import { documentOf } from './document.ts'
import { markup } from './escape.ts'
import type { Markup } from './escape.ts'
import { command } from './finding.ts'
import { glanceOf } from './glance.ts'
import type { Glance, Step } from './glance.ts'
import { pathOf } from './path.ts'
import { behaviourOf, notProvenOf, preflightOf } from './proof.ts'
import { SCRIPT } from './script.ts'
import { STYLE } from './style.ts'
import { nameOf } from './words.ts'
import { TONES, icon, THEME, toneOf, verdictMark } from './theme.ts'

/** The report as one page that loads nothing, for a person who has never heard of trustspec. */
export const renderHtml: Renderer = ({ reports, exit }) => {
  const seen = reports
    .map((report, at): Seen => ({ report, at, glance: glanceOf(report) }))
    .toSorted((one, other) => TONES.indexOf(one.glance.tone) - TONES.indexOf(other.glance.tone))
  const [worst, ...others] = seen
  const cases = reports.flatMap((report) => report.cases)
  return documentOf({
    title: worst ? `${worst.glance.headline.replace(/\.$/u, '')} – trustspec` : 'trustspec',
    style: `${THEME}${STYLE}`,
    script: SCRIPT,
    body: markup`<a class="skip" href="#cases">To the cases</a>
<header class="mast"><p><strong>trustspec</strong> tests the hop between an API gateway and its origin</p></header>
<main id="top">
${worst && first(worst)}
${pathOf(cases)}
${worst && stepsOf(worst)}
${others.map(second)}
${summaryOf(reports, exit)}
${casesOf(reports)}
${reports.map((report, at) => about(report, at, reports.length > 1))}
</main>
<footer><p>${reports.map((report) => footing(report))}</p></footer>`,
  })
}

interface Seen {
  readonly report: Report
  readonly at: number
  readonly glance: Glance
}

function first({ report, glance }: Seen): Markup {
  const { tone, headline, lede, cause, worst, steps } = glance
  const [step] = tone === 'bad' ? steps : []
  return markup`<section class="glance tone-${tone}" aria-labelledby="headline">
<p class="target">${icon(tone)} ${report.target.url}</p>
<h1 id="headline">${headline}</h1>
<p class="lede">${lede}</p>
${(cause !== undefined || step) && markup`<div class="cause">${cause !== undefined && markup`<p><strong>The cause:</strong> ${cause}</p>`}${worst !== undefined && markup`<p><strong>The worst:</strong> ${worst}</p>`}${step && markup`<p><strong>First:</strong> ${step.text}</p>`}</div>`}
</section>`
}

function second(seen: Seen): Markup {
  const { tone, headline, lede, cause } = seen.glance
  return markup`<section class="glance other tone-${tone}"><h2>${icon(tone)} ${headline}</h2><p class="lede">${lede}</p>
${cause !== undefined && markup`<p class="cause"><strong>The cause:</strong> ${cause}</p>`}</section>
${stepsOf(seen)}`
}

function stepsOf({ glance: { steps, tone }, at }: Seen): Markup | false {
  if (steps.length === 0) return false
  const title = tone === 'bad' ? 'What to do' : 'What would make it better'
  return markup`<section class="steps tone-${tone}" aria-labelledby="steps-${at}"><h2 id="steps-${at}">${title}</h2>
<ol>${steps.map((step) => stepOf(step, at))}</ol></section>`
}

function stepOf({ text, note, about }: Step, at: number): Markup {
  const [finding] = about?.findings ?? []
  const curl = finding?.evidence?.curl
  return markup`<li><p class="do">${text}</p>
${note !== undefined && markup`<p class="soft">${note}</p>`}
${
  about &&
  markup`<p class="about">${verdictMark(about.verdict)} <a href="#${anchorOf(at, about.id)}">${about.id}</a>: ${finding ? `${finding.stimulus}, expected ${finding.expected}, observed ${finding.observed}` : about.title}.</p>`
}
${about?.verdict !== 'warn' && curl !== undefined && curl.length < 1600 && markup`<details class="again"><summary>See it for yourself</summary>${command('In a shell', curl)}</details>`}
</li>`
}

const MEANINGS: Readonly<Record<Verdict, string>> = {
  'fail-open': 'accepted what must be refused',
  'fail-crash': 'crashed, hung or answered 5xx',
  'fail-closed': 'refused what must be accepted',
  fail: 'answered otherwise than required',
  inconclusive: 'could not be established',
  warn: 'a recommendation is not met',
  pass: 'as required',
  info: 'measured, no verdict',
  skip: 'not judged',
}

function summaryOf(reports: readonly Report[], exit: Report['exit']): Markup {
  const counts = VERDICTS.map((verdict) => ({
    verdict,
    number: reports.reduce((sum, { summary }) => sum + summary[verdict], 0),
  })).filter(({ number }) => number > 0)
  const total = counts.reduce((sum, { number }) => sum + number, 0)
  return markup`<section aria-labelledby="summary-title"><h2 id="summary-title">${total} cases</h2>
<ul class="summary">${counts.map(
    ({ verdict, number }) =>
      markup`<li class="tone-${toneOf(verdict)}"><strong>${number}</strong> ${verdictMark(verdict)} <span class="soft">${MEANINGS[verdict]}</span></li>`,
  )}</ul>
<p>Exit code ${exit.code}: ${exit.meaning}</p></section>`
}

function about(report: Report, at: number, isNamed: boolean): Markup {
  const title = isNamed ? nameOf(report) : 'About this run'
  return markup`<section class="run" aria-labelledby="run-${at}"><h2 id="run-${at}">${title}</h2>
${preflightOf(report)}
${behaviourOf(report)}
${notProvenOf(report)}
</section>`
}

function footing({ tool, subject, target, startedAt, requests, durationMs, seed, edition }: Report): Markup {
  return markup`<span>${tool.name} ${tool.version}: ${subject} at ${target.url}, ${startedAt.replace('T', ' ').replace(/\.\d+Z$/u, ' UTC')}, ${requests} requests in ${(durationMs / 1000).toFixed(1)} s, seed ${seed}${edition !== undefined && `, edition ${edition} of the requirements`}.</span> `
}
