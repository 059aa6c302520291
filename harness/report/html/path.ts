import type { CaseResult } from '../../model/result.ts'
import { markup } from './escape.ts'
import type { Markup } from './escape.ts'
import { HOPS, standingOf } from './hops.ts'
import type { Hop, HopId } from './hops.ts'

interface Box {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

/** One drawing of the path: boxes of the hops, and everything that is only drawn. */
interface Layout {
  readonly name: 'wide' | 'tall'
  readonly size: readonly [width: number, height: number]
  /** How much of the height is empty where no chain is drawn. */
  readonly bare: number
  readonly client: Box
  readonly network: Box
  readonly hops: Readonly<Record<HopId, Box>>
  /** Lines with an arrow at their end. */
  readonly arrows: readonly string[]
  /** The line over the whole chain. */
  readonly span: string
  readonly words: readonly { readonly x: number; readonly y: number; readonly text: string }[]
}

const WIDE: Layout = {
  name: 'wide',
  size: [1040, 300],
  bare: 30,
  client: { x: 4, y: 92, w: 96, h: 64 },
  network: { x: 758, y: 62, w: 278, h: 124 },
  hops: {
    caller: { x: 130, y: 96, w: 158, h: 56 },
    gateway: { x: 318, y: 88, w: 172, h: 72 },
    forward: { x: 520, y: 96, w: 184, h: 56 },
    origin: { x: 796, y: 88, w: 202, h: 72 },
    network: { x: 800, y: 34, w: 194, h: 44 },
    jwks: { x: 500, y: 222, w: 224, h: 64 },
    chain: { x: 318, y: 4, w: 190, h: 46 },
  },
  arrows: [
    'M100 124H128',
    'M288 124H316',
    'M490 124H518',
    'M704 124H794',
    'M404 160V246Q404 254 412 254H498',
    'M896 160V246Q896 254 888 254H726',
  ],
  span: 'M52 86V35Q52 27 60 27H318M508 27H772Q780 27 780 35V62',
  words: [
    { x: 416, y: 244, text: 'publishes' },
    { x: 790, y: 244, text: 'fetches the keys' },
  ],
}

const TALL: Layout = {
  name: 'tall',
  size: [340, 690],
  bare: 58,
  client: { x: 92, y: 62, w: 196, h: 44 },
  network: { x: 56, y: 392, w: 268, h: 152 },
  hops: {
    chain: { x: 92, y: 4, w: 196, h: 46 },
    caller: { x: 92, y: 128, w: 196, h: 56 },
    gateway: { x: 92, y: 206, w: 196, h: 62 },
    forward: { x: 92, y: 290, w: 196, h: 56 },
    network: { x: 92, y: 370, w: 196, h: 44 },
    origin: { x: 92, y: 446, w: 196, h: 72 },
    jwks: { x: 72, y: 606, w: 236, h: 64 },
  },
  arrows: [
    'M190 106V126',
    'M190 184V204',
    'M190 268V288',
    'M190 346V368',
    'M190 414V444',
    'M92 237H40Q32 237 32 245V630Q32 638 40 638H70',
    'M190 518V604',
  ],
  span: '',
  words: [{ x: 198, y: 584, text: 'fetches the keys' }],
}

/** The trust path as a picture, each hop a link to its cases: one drawing for wide windows, one for narrow ones. */
export function pathOf(cases: readonly CaseResult[]): Markup {
  return markup`<figure class="path">
${[WIDE, TALL].map((layout) => drawing(layout, cases))}
<figcaption>The trust path. Select a part to see its cases alone. Grey parts were not under test.</figcaption>
</figure>`
}

function drawing(
  { name, size: [width, height], bare, client, network, hops, arrows, span, words }: Layout,
  cases: readonly CaseResult[],
): Markup {
  const isChained = standingOf('chain', cases) !== undefined
  const top = isChained ? 0 : bare
  const shown = HOPS.filter(({ id }) => id !== 'chain' || isChained)
  return markup`<svg class="${name}" viewBox="0 ${top} ${width} ${height - top}" role="group" aria-label="The trust path: client, gateway, origin, issuer">
<defs><marker id="arrow-${name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0.5L7.5 4L0 7.5z" class="head" /></marker></defs>
<rect class="network" x="${network.x}" y="${network.y}" width="${network.w}" height="${network.h}" rx="14" />
${isChained && span !== '' && markup`<path class="span" d="${span}" />`}
${arrows.map((d) => markup`<path class="line" d="${d}" marker-end="url(#arrow-${name})" />`)}
${words.map(({ x, y, text }) => markup`<text class="word" x="${x}" y="${y}">${text}</text>`)}
<g class="plain">${rect(client, 10)}${label(client, 'Client')}</g>
${shown.map((hop) => part(hop, hops[hop.id], cases))}
</svg>`
}

function part({ id, name }: Hop, box: Box, cases: readonly CaseResult[]): Markup {
  const standing = standingOf(id, cases)
  // What flows is a pill, what stands is a box.
  const radius = id === 'caller' || id === 'forward' || id === 'network' || id === 'chain' ? box.h / 2 : 10
  const middle = box.x + box.w / 2
  if (!standing) {
    return markup`<g class="plain">${rect(box, radius)}${label(box, name)}</g>`
  }
  const { tone, says } = standing
  const y = box.y + box.h / 2
  const left = middle - (says.length * 7.6 + 20) / 2
  return markup`<a class="hop tone-${tone}" href="#hop-${id}" data-hop="${id}" aria-label="${name}: ${says}">${rect(box, radius)}
<text class="name" x="${middle}" y="${y - 4}">${name}</text>
<svg class="icon" x="${left}" y="${y + 4}" width="15" height="15" aria-hidden="true"><use href="#icon-${tone}" /></svg>
<text class="says" x="${left + 20}" y="${y + 16.5}">${says}</text></a>`
}

function rect({ x, y, w, h }: Box, radius: number): Markup {
  return markup`<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${radius}" />`
}

function label({ x, y, w, h }: Box, text: string): Markup {
  return markup`<text class="name" x="${x + w / 2}" y="${y + h / 2 + 5}">${text}</text>`
}
