/** The style sheet of a report, on top of the theme. */
export const STYLE = `
*, *::before, *::after { box-sizing: border-box; }
html { font: 100%/1.55 var(--sans); background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 70rem; padding: 0 1.25rem 3rem; overflow-wrap: break-word; }
[hidden] { display: none !important; }
.sprite { position: absolute; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--card); padding: 0.5rem 1rem; z-index: 1; }
a { color: var(--link); text-underline-offset: 0.15em; text-decoration-thickness: 0.06em; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
code, pre { font-family: var(--mono); font-size: 0.85em; }
p, ul, ol, dl, dd, h1, h2, h3, h4, figure { margin: 0; }
.soft { color: var(--soft); }
h1, h2, h3 { text-wrap: balance; letter-spacing: -0.012em; line-height: 1.2; }
h2 { font-size: 1.4rem; font-weight: 650; margin: 2.75rem 0 0.9rem; }
h3 { font-size: 1.08rem; font-weight: 650; margin: 2rem 0 0.25rem; }
h4 { font: 600 0.95rem/1.4 var(--mono); }
.label { font-size: 0.78rem; font-weight: 650; color: var(--soft); margin-bottom: 0.25rem; }

.mast { padding: 1rem 0 0.9rem; border-bottom: 1px solid var(--line); color: var(--soft); font-size: 0.88rem; }
.mast strong { color: var(--ink); font-weight: 700; letter-spacing: -0.01em; }

.glance { margin-top: 1.6rem; }
.glance .target { color: var(--soft); font: 0.85rem/1.4 var(--mono); overflow-wrap: anywhere; }
.glance .target .icon { color: var(--tone); width: 1.15em; height: 1.15em; }
h1 { font-size: clamp(1.7rem, 1.2rem + 2.2vw, 2.5rem); font-weight: 720; margin: 0.35rem 0 0.6rem; color: var(--tone); letter-spacing: -0.022em; line-height: 1.12; }
.lede { font-size: 1.12rem; max-width: 46rem; text-wrap: pretty; }
.cause { margin-top: 0.9rem; padding: 0.7rem 1rem; background: var(--tone-paper); border-left: 4px solid var(--tone); border-radius: 0 8px 8px 0; max-width: 60rem; overflow-wrap: anywhere; }
.cause strong { color: var(--tone); }
.glance.other { padding-top: 0.25rem; border-top: 1px solid var(--line); margin-top: 2rem; }
.glance.other h2 { margin: 1.2rem 0 0.4rem; font-size: 1.2rem; }
.glance.other h2 .icon { color: var(--tone); }
.glance.other .lede { font-size: 1rem; }

.path { margin: 1.8rem 0 0; }
.path svg.wide, .path svg.tall { display: block; width: 100%; height: auto; overflow: visible; }
.path svg.tall { display: none; }
.path figcaption { color: var(--soft); font-size: 0.88rem; margin-top: 0.6rem; }
.path text { font-family: var(--sans); fill: var(--ink); }
.path .name { font-size: 15px; font-weight: 620; text-anchor: middle; }
.path .says { font-size: 13px; fill: var(--tone); font-weight: 600; }
.path .icon { color: var(--tone); }
.path .word { font-size: 12.5px; fill: var(--soft); }
.path .plain rect { fill: var(--sunk); stroke: var(--none-line); stroke-width: 1.25; }
.path .plain .name { fill: var(--soft); font-weight: 500; }
.path .network { fill: none; stroke: var(--edge); stroke-width: 1.5; stroke-dasharray: 6 5; }
.path .line { fill: none; stroke: var(--edge); stroke-width: 1.5; }
.path .span { fill: none; stroke: var(--none-line); stroke-width: 1.5; stroke-dasharray: 2 4; }
.path .head { fill: var(--edge); }
.hop { cursor: pointer; text-decoration: none; }
.hop rect { fill: var(--tone-paper); stroke: var(--tone); stroke-width: 1.5; }
.hop:hover rect { stroke-width: 2.5; }
.hop[aria-pressed='true'] rect { stroke-width: 4; }
.hop[aria-pressed='true'] .name { text-decoration: underline; text-decoration-thickness: 2px; text-underline-offset: 3px; }
.hop:focus-visible { outline: none; }
.hop:focus-visible rect { stroke: var(--focus); stroke-width: 4; }

.steps { margin-top: 1.8rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.1rem 1.35rem 1.25rem; }
.steps h2 { margin: 0 0 0.7rem; font-size: 1.15rem; }
.steps ol { padding: 0; list-style: none; counter-reset: step; display: grid; gap: 1rem; }
.steps li { counter-increment: step; padding-left: 2.4rem; position: relative; }
.steps li::before { content: counter(step); position: absolute; left: 0; top: 0.05rem; width: 1.6rem; height: 1.6rem; border-radius: 50%; border: 1.5px solid var(--edge); text-align: center; font-weight: 650; font-size: 0.85rem; line-height: calc(1.6rem - 3px); }
.steps .do { font-weight: 620; font-size: 1.03rem; }
.steps .about { font-size: 0.92rem; margin-top: 0.15rem; }
.steps .about .verdict { margin-right: 0.3em; }
.again { margin-top: 0.3rem; font-size: 0.92rem; }
.again > summary, .more > summary, .locks summary { cursor: pointer; color: var(--link); width: fit-content; }

.summary { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(11.8rem, 1fr)); gap: 0.5rem; margin-bottom: 0.9rem; }
.summary li { border: 1px solid var(--line); border-radius: 10px; padding: 0.5rem 0.85rem 0.6rem; background: var(--card); }
.summary strong { font-size: 1.4rem; font-weight: 680; font-variant-numeric: tabular-nums; margin-right: 0.3rem; }
.summary .soft { display: block; font-size: 0.85rem; }

#filters { display: flex; flex-wrap: wrap; gap: 0.7rem 1rem; align-items: end; padding: 0.9rem 1rem; background: var(--sunk); border-radius: 12px; }
#filters label { display: grid; gap: 0.2rem; font-size: 0.8rem; font-weight: 600; color: var(--soft); min-width: 0; }
#filters label.wide { flex: 1 1 14rem; }
#filters p { flex-basis: 100%; font-size: 0.88rem; color: var(--soft); }
input, select, button { font: inherit; font-size: 0.95rem; font-weight: 400; color: var(--ink); background: var(--card); border: 1px solid var(--edge); border-radius: 8px; padding: 0.38rem 0.6rem; min-height: 2.4rem; max-width: 100%; }
input::placeholder { color: var(--soft); opacity: 1; }
button { cursor: pointer; }
button:hover { border-color: var(--ink); }

.group { scroll-margin-top: 1rem; }
.suite { border: 1px solid var(--line); border-radius: 12px; background: var(--card); margin-top: 0.7rem; }
.suite > summary { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; align-items: baseline; padding: 0.65rem 1rem; cursor: pointer; list-style: none; border-radius: 12px; }
summary::-webkit-details-marker { display: none; }
.suite > summary h4::before, .case summary .what::before { content: ''; display: inline-block; width: 0.42em; height: 0.42em; border: solid var(--soft); border-width: 0 1.5px 1.5px 0; transform: rotate(-45deg); margin-right: 0.7em; vertical-align: 0.15em; }
.suite[open] > summary h4::before, .case details[open] > summary .what::before { transform: rotate(45deg); vertical-align: 0.25em; }
.counts { display: flex; flex-wrap: wrap; gap: 0.1rem 0.9rem; font-size: 0.87rem; }
.count { color: var(--tone); white-space: nowrap; display: inline-flex; align-items: center; gap: 0.3em; }
.rows { list-style: none; padding: 0; }
.case { border-top: 1px solid var(--line); }
.case > details > summary { display: grid; grid-template-columns: 8.5rem 1fr auto; gap: 0.2rem 1rem; padding: 0.55rem 1rem; cursor: pointer; list-style: none; align-items: baseline; }
.case > details > summary:hover, .suite > summary:hover { background: var(--sunk); }
.case .mark { font-size: 0.9rem; }
.case .nature { display: block; font-size: 0.8rem; padding-left: 1.5em; }
.case .title { font-weight: 500; }
.case .what code { color: var(--soft); display: block; padding-left: 1.25rem; font-size: 0.78rem; overflow-wrap: anywhere; }
.tags { display: flex; gap: 0.5rem; align-items: baseline; font-size: 0.78rem; }
.tag { border: 1px solid var(--edge); border-radius: 99px; padding: 0 0.55em; color: var(--soft); }
.level { color: var(--soft); font-weight: 600; letter-spacing: 0.02em; min-width: 4.2em; text-align: right; }
.body { padding: 0.3rem 1rem 1.2rem; border-left: 4px solid var(--tone-line); margin: 0.2rem 1rem 1rem; display: grid; gap: 0.8rem; }
.body > * { min-width: 0; }
.note { max-width: 60rem; }
.finding { border-top: 1px dashed var(--line); padding-top: 0.8rem; display: grid; gap: 0.7rem; min-width: 0; }
.finding:first-of-type { border-top: 0; padding-top: 0; }
.facts { display: grid; gap: 0.3rem; }
.facts > div { display: grid; grid-template-columns: 8rem 1fr; gap: 0 1rem; }
.facts dt { color: var(--soft); font-size: 0.88rem; padding-top: 0.08rem; }
.facts dd { min-width: 0; overflow-wrap: anywhere; }
.why { font-size: 0.94rem; }
.clause { display: block; }
.exchange { display: grid; grid-template-columns: 1fr 1fr; gap: 0.8rem; }
.exchange > div { min-width: 0; }
pre { margin: 0; padding: 0.6rem 0.8rem; background: var(--sunk); border-radius: 8px; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 15rem; overflow: auto; scrollbar-width: thin; tab-size: 4; line-height: 1.45; }
.command { display: grid; grid-template-columns: 1fr auto; gap: 0 0.6rem; align-items: start; min-width: 0; }
.command .label { grid-column: 1 / -1; }
.command pre { max-height: 8rem; }
.copy { font-size: 0.85rem; min-width: 5.2rem; }
.remedy { background: var(--good-paper); border-radius: 8px; padding: 0.7rem 0.9rem; display: grid; gap: 0.5rem; min-width: 0; }
.timeline ol { list-style: none; padding: 0; font-size: 0.88rem; border-left: 2px solid var(--line); margin-left: 0.3rem; }
.timeline li { display: grid; grid-template-columns: 4.6rem 4.2rem 1fr; gap: 0.6rem; padding: 0.08rem 0 0.08rem 0.9rem; position: relative; overflow-wrap: anywhere; }
.timeline li::before { content: ''; position: absolute; left: -0.33rem; top: 0.55rem; width: 0.55rem; height: 0.55rem; border-radius: 50%; background: var(--card); border: 2px solid var(--edge); }
.timeline .at { color: var(--soft); font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
.timeline .kind { font-weight: 600; }
.kind-fault .kind, .kind-restart .kind { color: var(--warn); }
.kind-clock .kind { color: var(--unclear); }
.kind-keys .kind { color: var(--info); }
#nothing { padding: 1.5rem 0; }

.properties { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 0.8rem; margin-top: 0.9rem; }
.property { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 0.7rem 0.9rem; display: flex; flex-direction: column; }
.property dt { font-size: 0.88rem; color: var(--soft); text-wrap: balance; }
.property .value { font-size: 1.15rem; font-weight: 650; overflow-wrap: anywhere; }
.property .unit { font-weight: 500; }
.property .of { display: block; font-size: 0.78rem; color: var(--soft); margin-top: 0.4rem; }
.plot { display: block; width: 100%; max-width: 22rem; height: auto; margin-top: 0.15rem; }
.plot .axis { fill: none; stroke: var(--edge); stroke-width: 1; }
.plot .curve { fill: none; stroke: var(--info); stroke-width: 1.75; }
.plot circle { fill: var(--info); }
.plot text { font: 10.5px var(--sans); fill: var(--soft); }
.plot .end { text-anchor: end; }
.plot .middle { text-anchor: middle; }
.plain-list { padding: 0; list-style: none; margin-top: 0.9rem; font-size: 0.92rem; color: var(--soft); }
.locks, .checks { list-style: none; padding: 0; margin-top: 0.6rem; }
.locks > li { border-top: 1px solid var(--line); padding: 0.55rem 0; }
.locks > li:first-child { border-top: 0; }
.locks .unlock code { overflow-wrap: anywhere; }
.locks details { font-size: 0.88rem; }
.locks details ul { padding-left: 1.2rem; }
.checks li { display: grid; grid-template-columns: 1.3rem 1fr; padding: 0.12rem 0; overflow-wrap: anywhere; }
.checks .verdict { align-self: start; margin-top: 0.25rem; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 0.82rem; color: var(--soft); overflow-wrap: anywhere; }

@media (max-width: 52rem) {
  .path svg.wide { display: none; }
  .path svg.tall { display: block; max-width: 24rem; margin: 0 auto; }
  .exchange { grid-template-columns: 1fr; }
}
@media (max-width: 40rem) {
  body { padding: 0 1rem 2rem; }
  .case > details > summary { grid-template-columns: 1fr auto; padding: 0.6rem 0.8rem; }
  .case .what { grid-column: 1 / -1; grid-row: 2; }
  .facts > div { grid-template-columns: 1fr; }
  .body { margin: 0 0 0.8rem 0.4rem; padding-right: 0.8rem; }
  .command { grid-template-columns: 1fr; }
  .copy { justify-self: start; margin-top: 0.4rem; }
  .steps { padding: 1rem; }
  .steps li { padding-left: 2.1rem; }
  .timeline li { grid-template-columns: 4.2rem 3.6rem 1fr; gap: 0.4rem; }
  #filters label { flex: 1 1 45%; }
  .summary { grid-template-columns: 1fr 1fr; }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
@media print {
  html { font-size: 80%; background: #fff; }
  body { max-width: none; padding: 0; }
  #filters, .skip, .copy { display: none !important; }
  details::details-content { content-visibility: visible; display: block; block-size: auto; }
  pre { max-height: none !important; }
  .clause a::after { content: ' (' attr(href) ')'; font-size: 0.85em; color: var(--soft); overflow-wrap: anywhere; }
  .case, .property, .steps li, .finding { break-inside: avoid; }
  h2, h3, .suite > summary { break-after: avoid; }
  .path svg.wide { display: block; }
  .path svg.tall { display: none; }
}
`
