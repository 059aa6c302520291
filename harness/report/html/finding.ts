import type { HeaderLines } from '../../model/http.ts'
import type { CaseResult, Evidence, Finding } from '../../model/result.ts'
import { counted } from '../text.ts'
import { markup } from './escape.ts'
import type { Markup } from './escape.ts'

/** Findings of a case that are shown with all there is, and those that can be unfolded; the rest is counted. */
const MOST_SHOWN = 2
const MOST_FOLDED = 20

/** What was found in a case: the first findings in full, further ones folded away. */
export function findingsOf(result: CaseResult): Markup {
  // What is new is what somebody has to look at.
  const findings = result.findings.toSorted((one, other) => Number(one.known ?? false) - Number(other.known ?? false))
  const shown = findings.slice(0, MOST_SHOWN)
  const folded = findings.slice(MOST_SHOWN, MOST_SHOWN + MOST_FOLDED)
  const left = findings.length - shown.length - folded.length
  const rest = folded.length + left
  return markup`${shown.map(findingOf)}${
    rest > 0 &&
    markup`<details class="more"><summary>${counted(rest, 'more finding')} of this case</summary>
${folded.map(findingOf)}${left > 0 && markup`<p class="soft">${counted(left, 'further one')}: see the JSON report.</p>`}</details>`
  }`
}

function findingOf({ stimulus, expected, observed, failure, evidence, known }: Finding): Markup {
  return markup`<section class="finding">
<dl class="facts">
<div><dt>Sent</dt><dd>${stimulus}${known && markup` <span class="tag">known</span>`}</dd></div>
<div><dt>Expected</dt><dd>${expected}</dd></div>
<div><dt>Observed</dt><dd>${observed} <span class="soft">(${failure})</span></dd></div>
</dl>
${evidence && evidenceOf(evidence)}
</section>`
}

function evidenceOf(evidence: Evidence): Markup {
  const { method, url, requestHeaders, status, responseHeaders, responseBody, failure, curl } = evidence
  const first =
    status === 0
      ? `no answer${failure === undefined ? '' : `: ${failure}`}`
      : `status ${status}${failure === undefined ? '' : `, then ${failure}`}`
  return markup`<div class="exchange">
${block('What was sent', `${method} ${url}\n${linesOf(requestHeaders)}`)}
${block('What came back', `${first}\n${linesOf(responseHeaders)}${responseBody === '' ? '' : `\n\n${responseBody}`}`)}
</div>
${curl !== undefined && command('See it again', curl)}`
}

/** A shell command with a button that copies it. */
export function command(name: string, text: string): Markup {
  return markup`<div class="command"><p class="label">${name}</p><pre tabindex="0" role="group" aria-label="${name}"><code>${text}</code></pre><button type="button" class="copy" hidden>Copy<span class="hidden"> the command</span></button></div>`
}

function block(name: string, text: string): Markup {
  return markup`<div><p class="label">${name}</p><pre tabindex="0" role="group" aria-label="${name}"><code>${text.trimEnd()}</code></pre></div>`
}

function linesOf(headers: HeaderLines): string {
  return headers.map(([name, value]) => `${name}: ${value}`).join('\n')
}
