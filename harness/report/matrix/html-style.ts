/** What the matrix adds to the theme: tables scroll in boxes of their own, whatever the width. */
export const STYLE = `
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1rem clamp(.75rem, 2vw, 2rem); max-width: 112rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 var(--sans) }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .5rem 0 }
h2 { font-size: 1.3rem; margin: 2rem 0 .5rem }
header p { max-width: 75ch; margin: .5rem 0 }
a { color: var(--link) }
code { font: .9em var(--mono) }
[hidden] { display: none !important }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px }
.unseen, caption { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; white-space: nowrap }
.legend { list-style: none; padding: 0; margin: 1rem 0; display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; font-size: .9rem; color: var(--soft) }
.sprite { position: absolute }
.legend .verdict, article .verdict { vertical-align: bottom }
.matrix .icon { margin-right: .3em }
nav a { margin-right: 1rem }
.filters { display: flex; flex-wrap: wrap; align-items: end; gap: .5rem 1rem; margin: 1rem 0; padding: .75rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--sunk) }
.filters label { display: grid; font-size: .85rem; color: var(--soft) }
.filters .check { display: flex; align-items: center; gap: .4rem; color: var(--ink); font-size: 1rem }
.filters .check, .filters output { min-height: 2.2rem; display: flex; align-items: center }
.filters .check input { width: 1.2rem; height: 1.2rem }
.filters input[type=search], .filters select, .close { font: inherit; font-size: 1rem; min-height: 2.2rem; padding: .2rem .6rem; max-width: 100%; color: var(--ink); background: var(--card); border: 1px solid var(--edge); border-radius: .3rem }
.filters output { color: var(--soft) }
.scroll { overflow: auto; max-height: min(90vh, 70rem); width: fit-content; max-width: 100%; border: 1px solid var(--line); border-radius: .4rem; position: relative; background: var(--card) }
.summary { max-height: none; margin-bottom: 1rem }
table { border-collapse: separate; border-spacing: 0; font-size: .875rem; line-height: 1.35 }
th, td { padding: .35rem .5rem; border: 0 solid var(--line); border-bottom-width: 1px; text-align: left }
tbody:last-child > tr:last-child > * { border-bottom-width: 0 }
small { display: block; font-weight: 400; font-size: .75rem }
.summary td { text-align: right; color: var(--soft) }
.summary td b { display: inline-block; min-width: 1.8rem; padding: 0 .4em; border-radius: .3em; text-align: center; color: var(--tone); background: var(--tone-paper) }
.summary td.tone-bad b { color: var(--card); background: var(--tone) }
.summary th[scope=row] { min-width: 12rem }
.summary small, .level, .title { color: var(--soft) }
.matrix thead th { position: sticky; top: 0; z-index: 2; background: var(--sunk); vertical-align: bottom; border-left-width: 1px }
.matrix tr > th:first-child { position: sticky; left: 0; z-index: 1; background: var(--card); border: solid var(--line); border-width: 0 1px 1px 0 }
.matrix thead tr > th:first-child { z-index: 3; background: var(--sunk) }
.matrix tr.suite > th { background: var(--sunk); font-size: .95rem }
.matrix tr.suite > th > span { position: sticky; left: .5rem }
.matrix th[scope=row] { width: 24rem; min-width: 15rem; max-width: 24rem; font-weight: 400 }
.matrix tr { scroll-margin: 5rem }
.matrix th[scope=row] code { font-weight: 600; overflow-wrap: anywhere }
.matrix tr:target > th { outline: 2px solid var(--focus); outline-offset: -2px }
.level { font-size: .75rem; letter-spacing: .03em }
.title { display: block }
.matrix td { padding: 0; border-left-width: 1px; height: 1px; vertical-align: top; color: var(--tone); background: var(--tone-paper) }
.matrix td.tone-bad { color: var(--card); background: var(--tone) }
.matrix td.tone-none { background: none }
.matrix td > button, .matrix td > div { display: flex; flex-direction: column; align-items: start; width: 100%; height: 100%; min-height: 2.2rem; padding: .35rem .5rem; white-space: nowrap }
.matrix td > button { font: inherit; font-weight: 600; color: inherit; background: none; border: 0; text-align: left; cursor: pointer; text-decoration: underline dotted; text-underline-offset: .2em }
.matrix td.tone-none > button { font-weight: 400 }
.matrix td > button:hover { text-decoration-style: solid }
.matrix td > button:focus-visible, .matrix td:has(> button[popovertarget]):focus-within > button:focus { outline: 3px solid currentColor; outline-offset: -3px }
.details > h3 { display: none }
.details article { color: var(--ink); background: var(--card); border: 1px solid var(--edge); border-radius: .5rem; padding: 1rem 1.25rem; width: min(36rem, calc(100vw - 2rem)); max-height: 75vh; overflow: auto; box-shadow: 0 .5rem 2rem rgb(0 0 0 / .35) }
.details article:popover-open { inset: auto 1rem 1rem auto; margin: 0 }
.details article > h3 { margin: 0; font-size: 1.1rem }
.details p { margin: .3rem 0; overflow-wrap: anywhere }
.details dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: .75rem 0 0 }
.details dt { color: var(--soft) }
.details dd { margin: 0; overflow-wrap: anywhere }
.details dd span { display: block }
.close { margin-top: 1rem; cursor: pointer }
.nothing { display: none }
@media (max-width: 40rem) {
  .matrix th[scope=row] { min-width: 9.5rem; max-width: 9.5rem; padding: .3rem .4rem }
  .title { font-size: .75rem }
  .details article:popover-open { inset: auto 0 0 0; width: 100%; max-width: 100%; border-radius: .75rem .75rem 0 0; border-width: 1px 0 0 }
  .details dl { grid-template-columns: 1fr; gap: 0 }
  .details dd { margin-bottom: .4rem }
}
@supports not selector(:popover-open) {
  .details > h3 { display: block }
  .details article { width: auto; max-height: none; box-shadow: none; margin: .75rem 0 }
  .close { display: none }
}
@media print {
  @page { size: landscape; margin: 10mm }
  html { font-size: 9pt }
  body { max-width: none; padding: 0; print-color-adjust: exact }
  .filters, nav, .close { display: none !important }
  .scroll { overflow: visible; max-height: none; border: 0 }
  table { font-size: 7pt }
  .matrix thead th, .matrix tr > th:first-child, .matrix tr.suite > th > span { position: static }
  .matrix th, .matrix th[scope=row] { min-width: 0; max-width: 14rem }
  .matrix td > button, .matrix td > div { min-height: 0; padding: .1rem .2rem; text-decoration: none }
  tr, article { break-inside: avoid }
  .details { columns: 3; column-gap: 4mm }
  .details > h3 { display: block; column-span: all }
  .details article { display: block; position: static; width: auto; max-height: none; margin: 0 0 1mm; padding: 1mm 2mm; box-shadow: none; font-size: 7pt }
  .details article > h3 { font-size: 8pt }
  .details dl { gap: 0 2mm; margin: 0 }
  .details p { margin: 0 }
}
`
