import type { Series } from '../../model/behaviour.ts'
import { markup } from './escape.ts'
import type { Markup } from './escape.ts'

const WIDTH = 280
const HEIGHT = 84
const LEFT = 34
const RIGHT = 10
const TOP = 8
const FLOOR = 56

/** A small plot of measured points: steps between them, because each holds until the next one was tried. */
export function plotOf(title: string, { x, y, points }: Series): Markup {
  const xs = points.map(([at]) => at)
  const ys = points.map(([, value]) => value)
  const [from, to] = [Math.min(...xs), Math.max(...xs)]
  const top = Math.max(...ys, 1)
  const across = (at: number): number => round(LEFT + ((at - from) / (to - from || 1)) * (WIDTH - LEFT - RIGHT))
  const up = (value: number): number => round(FLOOR - (value / top) * (FLOOR - TOP))
  const [[, first] = [0, 0]] = points
  const steps = points.slice(1).map(([at, value]) => `H${across(at)}V${up(value)}`)
  return markup`<svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}: ${y}, over ${x}">
<path class="axis" d="M${LEFT} ${TOP}V${FLOOR}H${WIDTH - RIGHT}" />
<path class="curve" d="M${across(from)} ${up(first)}${steps.join('')}" />
${points.map(([at, value]) => markup`<circle cx="${across(at)}" cy="${up(value)}" r="2.4" />`)}
<text x="${LEFT - 5}" y="${TOP + 4}" class="end">${compact(top)}</text>
<text x="${LEFT - 5}" y="${FLOOR + 3}" class="end">0</text>
<text x="${LEFT}" y="${FLOOR + 14}">${compact(from)}</text>
<text x="${WIDTH - RIGHT}" y="${FLOOR + 14}" class="end">${compact(to)}</text>
<text x="${WIDTH / 2 + LEFT / 2}" y="${FLOOR + 26}" class="middle">${x}</text>
</svg>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function compact(value: number): string {
  return value >= 10_000 ? `${round(value / 1000)}k` : String(round(value))
}
