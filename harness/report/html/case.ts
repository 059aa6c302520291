import type { CaseResult, ExpectedFinding, TimelineEntry } from '../../model/result.ts'
import type { Subject } from '../../model/case.ts'
import type { Level } from '../../model/verdict.ts'
import { counted } from '../text.ts'
import { link, markup } from './escape.ts'
import type { Markup } from './escape.ts'
import { findingsOf } from './finding.ts'
import { hopOf } from './hops.ts'
import { toneOf, verdictMark } from './theme.ts'

/** Where a case lies in a page with reports by number. */
export function anchorOf(report: number, id: string): string {
  return `case-${report}-${id.replaceAll(/[^\w-]/gu, '-')}`
}

/** What a row needs to know of its report. */
export interface Place {
  readonly report: number
  readonly subject: Subject
  /** The one cause of the report, which is told at its top. */
  readonly cause: string | undefined
}

/** A case as a row that unfolds; without JavaScript, too. */
export function caseRow(result: CaseResult, place: Place): Markup {
  const { id, suite, title, level, verdict, nature, known, upcoming } = result
  return markup`<li class="case tone-${toneOf(verdict)}" data-verdict="${verdict}" data-level="${level}" data-suite="${suite}" data-hop="${hopOf(suite)}">
<details id="${anchorOf(place.report, id)}"><summary>
<span class="mark">${verdictMark(verdict)}${nature !== undefined && nature !== verdict && markup`<span class="soft nature">${nature}</span>`}</span>
<span class="what">${wanted(result)}<span class="title">The ${place.subject} ${title}.</span> <code>${id}</code></span>
<span class="tags">${known && markup`<span class="tag">${standingOf(known)}</span>`}${upcoming !== undefined && markup`<span class="tag">upcoming</span>`}<span class="level">${level}</span></span>
</summary>
<div class="body">
${notes(result, place)}
${result.findings.length > 0 && findingsOf(result)}
${result.findings.length > 0 && remedyOf(result)}
<dl class="facts why">
<div><dt>Why it matters</dt><dd>${result.rationale}</dd></div>
<div><dt>Required by</dt><dd>${result.clause.map(({ title: clause, url }) => markup`<span class="clause">${link(url, clause)}</span>`)}</dd></div>
${measuredOf(result)}
${result.notProven.length > 0 && markup`<div><dt>Not proven</dt><dd>${result.notProven.map(({ stimulus, reason, unlock }) => markup`<span class="clause">${stimulus}: ${reason}${unlock !== undefined && markup` (<code>${unlock}</code>)`}</span>`)}</dd></div>`}
${result.stimuli > 0 && markup`<div><dt>Effort</dt><dd>${counted(result.stimuli, 'stimulus', 'stimuli')} judged in ${result.durationMs} ms</dd></div>`}
</dl>
${result.timeline && timelineOf(result.timeline)}
</div></details></li>`
}

const WANTED: Readonly<Record<Level, string>> = {
  MUST: 'Required: ',
  SHOULD: 'Recommended: ',
  MAY: 'Declared: ',
  INFO: '',
}

/** Beside a verdict that says the contrary, a title alone would read like what was seen. */
function wanted({ level, findings }: CaseResult): Markup | false {
  return findings.length > 0 && markup`<span class="soft">${WANTED[level]}</span>`
}

type Known = 'accepted' | 'expired' | 'known'

const KNOWN: Readonly<Record<Known, string>> = { accepted: 'Accepted:', expired: 'Expired:', known: 'Known:' }

function standingOf({ accepted, expires }: ExpectedFinding): Known {
  return accepted ? 'accepted' : expires === undefined ? 'known' : 'expired'
}

function until({ accepted, expires }: ExpectedFinding): string {
  return expires === undefined ? '' : ` (${accepted ? 'until' : 'was accepted until'} ${expires})`
}

function notes({ reason, missing, known, upcoming }: CaseResult, { cause }: Place): Markup {
  return markup`${
    known &&
    markup`<p class="note"><strong>${KNOWN[standingOf(known)]}</strong> ${known.reason}${until(known)}${known.issue !== undefined && markup` ${link(known.issue, known.issue)}`}</p>`
  }${
    upcoming !== undefined &&
    markup`<p class="note"><strong>Upcoming:</strong> it counts from edition ${upcoming} on, and cannot fail this run.</p>`
  }${
    reason !== undefined &&
    missing.length === 0 &&
    markup`<p class="note"><strong>Because:</strong> ${reason === cause ? markup`of the cause that is told <a href="#top">at the top</a>.` : reason}</p>`
  }${missing.map(
    ({ says, unlock }) =>
      markup`<p class="note"><strong>Not judged:</strong> it needs ${says}. To unlock it: <code>${unlock}</code></p>`,
  )}`
}

function remedyOf({ remedy, snippets }: CaseResult): Markup {
  return markup`<div class="remedy"><p><strong>Remedy:</strong> ${remedy}</p>
${Object.entries(snippets).map(
  ([library, code]) =>
    markup`<p class="label">${library}</p><pre tabindex="0" role="group" aria-label="The fix for ${library}"><code>${code}</code></pre>`,
)}</div>`
}

function measuredOf({ measured }: CaseResult): Markup | false {
  const rows = Object.entries(measured)
  return (
    rows.length > 0 &&
    markup`<div><dt>Measured</dt><dd>${rows.map(([name, value]) => markup`<span class="clause">${name}: ${String(value)}</span>`)}</dd></div>`
  )
}

const KINDS: Readonly<Record<TimelineEntry['kind'], string>> = {
  fetch: 'Fetch',
  clock: 'Clock',
  keys: 'Keys',
  fault: 'Fault',
  restart: 'Restart',
}

function timelineOf(entries: readonly TimelineEntry[]): Markup {
  return markup`<div class="timeline"><p class="label">What happened meanwhile</p><ol>
${entries.map(
  ({ atMs, kind, says }) =>
    markup`<li class="kind-${kind}"><span class="at">${atMs} ms</span> <span class="kind">${KINDS[kind]}</span> <span>${says}</span></li>`,
)}</ol></div>`
}
