import type { Verdict } from '../../model/verdict.ts'
import { markup } from './escape.ts'
import type { Markup } from './escape.ts'

/** What a verdict means at a glance: each has a colour, an icon and a word. */
export type Tone = 'bad' | 'unclear' | 'warn' | 'good' | 'info' | 'none'

/** Tones from the worst to the one that says least. */
export const TONES = ['bad', 'unclear', 'warn', 'good', 'info', 'none'] as const satisfies readonly Tone[]

const TONE_OF: Readonly<Record<Verdict, Tone>> = {
  'fail-open': 'bad',
  'fail-crash': 'bad',
  'fail-closed': 'bad',
  fail: 'bad',
  inconclusive: 'unclear',
  warn: 'warn',
  pass: 'good',
  info: 'info',
  skip: 'none',
}

/** The tone of a verdict. */
export function toneOf(verdict: Verdict): Tone {
  return TONE_OF[verdict]
}

/** Variables of every page, light and dark: ink, paper, lines, and three colours for each tone. */
export const THEME = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --sunk: #f3f2ef; --ink: #1d1f23; --soft: #565b63; --line: #dedcd6; --edge: #8a8d93;
  --link: #0b57a4; --focus: #0b57a4;
  --bad: #a8201a; --bad-paper: #fdeeec; --bad-line: #e2a29d;
  --unclear: #6a3aa2; --unclear-paper: #f4eefb; --unclear-line: #c4aadf;
  --warn: #7a4f00; --warn-paper: #fdf4dc; --warn-line: #dcbf76;
  --good: #1a6638; --good-paper: #e9f5ec; --good-line: #9accab;
  --info: #0b5785; --info-paper: #e8f2f9; --info-line: #9cc4de;
  --none: #565b63; --none-paper: #f0efec; --none-line: #c3c3bf;
  --sans: system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif;
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16181b; --card: #1d2024; --sunk: #25282d; --ink: #e9e8e4; --soft: #b0b3b8; --line: #363a40; --edge: #7d828a;
    --link: #8cc4ff; --focus: #8cc4ff;
    --bad: #ffa69e; --bad-paper: #3a1d1b; --bad-line: #7d3f3a;
    --unclear: #d2b5f5; --unclear-paper: #2c2139; --unclear-line: #624a80;
    --warn: #f0ca6e; --warn-paper: #33290f; --warn-line: #6d5a27;
    --good: #8fd6a6; --good-paper: #17301f; --good-line: #39694a;
    --info: #93cdf2; --info-paper: #152c3b; --info-line: #365f7a;
    --none: #b0b3b8; --none-paper: #272a2f; --none-line: #4b5057;
  }
}
@media print { :root { color-scheme: light; } }
${TONES.map((tone) => `.tone-${tone} { --tone: var(--${tone}); --tone-paper: var(--${tone}-paper); --tone-line: var(--${tone}-line); }`).join('\n')}
.icon { width: 1em; height: 1em; flex: none; vertical-align: -0.125em; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.verdict .icon { align-self: center; }
.verdict { display: inline-flex; align-items: baseline; gap: 0.35em; color: var(--tone); font-weight: 600; white-space: nowrap; }
`

const SHAPES: Readonly<Record<Tone, Markup>> = {
  bad: markup`<circle cx="8" cy="8" r="6.5" /><path d="M5.5 5.5l5 5m0-5l-5 5" />`,
  unclear: markup`<circle cx="8" cy="8" r="6.5" /><path d="M6 6.3a2 2 0 1 1 2.7 1.9c-.5.2-.7.5-.7 1M8 11.6v.01" />`,
  warn: markup`<path d="M8 1.8l6.6 11.9H1.4zM8 6.3v3.4M8 11.7v.01" />`,
  good: markup`<circle cx="8" cy="8" r="6.5" /><path d="M5 8.3l2.1 2.1L11 6.2" />`,
  info: markup`<circle cx="8" cy="8" r="6.5" /><path d="M8 7.4v3.6M8 4.9v.01" />`,
  none: markup`<circle cx="8" cy="8" r="6.5" stroke-dasharray="2.2 2.9" /><path d="M5.5 8h5" />`,
}

/** The drawings that `icon` refers to: once in a page, at its beginning. */
export const ICONS: Markup = markup`<svg width="0" height="0" aria-hidden="true" focusable="false" class="sprite">
  ${TONES.map((tone) => markup`<symbol id="icon-${tone}" viewBox="0 0 16 16">${SHAPES[tone]}</symbol>`)}
</svg>`

/** A drawing that stands beside the word that it means. */
export function icon(tone: Tone): Markup {
  return markup`<svg class="icon" aria-hidden="true" focusable="false"><use href="#icon-${tone}" /></svg>`
}

/** The verdict as icon, colour and word. */
export function verdictMark(verdict: Verdict): Markup {
  const tone = toneOf(verdict)
  return markup`<span class="verdict tone-${tone}">${icon(tone)}${verdict}</span>`
}
