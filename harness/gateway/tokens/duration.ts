/** Seconds of each unit; a year has 365.25 days. */
const SHORT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, y: 31_557_600 }

const LONG: Readonly<Record<string, string>> = {
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  hr: 'h',
  hrs: 'h',
  hour: 'h',
  hours: 'h',
  day: 'd',
  days: 'd',
  week: 'w',
  weeks: 'w',
  yr: 'y',
  yrs: 'y',
  year: 'y',
  years: 'y',
}

/** Units that a duration may have: one letter alone, or the long names too. */
export type Units = 'short' | 'long'

/** Whole seconds of a number of them, or of a text such as `5m`; undefined where it is neither, or less than one. */
export function secondsOf(value: unknown, units: Units): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 1 ? Math.floor(value) : undefined
  const parts = typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/iu.exec(value) : null
  if (!parts) return undefined
  const unit = (parts[2] ?? '').toLowerCase()
  const factor = SHORT[unit] ?? (units === 'long' ? SHORT[LONG[unit] ?? ''] : undefined)
  const seconds = factor === undefined ? 0 : Math.floor(Number(parts[1]) * factor)
  return seconds >= 1 ? seconds : undefined
}
