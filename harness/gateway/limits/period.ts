/** Lengths of quota periods. */
export const PERIODS = ['hourly', 'daily', 'weekly', 'monthly'] as const

export type Period = (typeof PERIODS)[number]

/** A stretch of time in milliseconds since the epoch; its end is not part of it. */
export interface Span {
  readonly startMs: number
  readonly endMs: number
}

const HOUR_MS = 3_600_000

const LENGTHS: Readonly<Record<Exclude<Period, 'monthly'>, number>> = {
  hourly: HOUR_MS,
  daily: 24 * HOUR_MS,
  weekly: 7 * 24 * HOUR_MS,
}

/** The period around a moment, where one begins at the anchor; the anchor may be later than the moment. */
export function periodAround(period: Period, anchorMs: number, nowMs: number): Span {
  if (period !== 'monthly') {
    const length = LENGTHS[period]
    const startMs = anchorMs + Math.floor((nowMs - anchorMs) / length) * length
    return { startMs, endMs: startMs + length }
  }
  const [anchor, now] = [new Date(anchorMs), new Date(nowMs)]
  const inMonth = (now.getUTCFullYear() - anchor.getUTCFullYear()) * 12 + now.getUTCMonth() - anchor.getUTCMonth()
  const months = monthsAfter(anchor, inMonth) > nowMs ? inMonth - 1 : inMonth
  return { startMs: monthsAfter(anchor, months), endMs: monthsAfter(anchor, months + 1) }
}

/** The same day and time some months later, or the last day of a month that is too short; always from the anchor. */
function monthsAfter(anchor: Date, months: number): number {
  const [year, month] = [anchor.getUTCFullYear(), anchor.getUTCMonth() + months]
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const midnight = Date.UTC(year, month, Math.min(anchor.getUTCDate(), lastDay))
  return midnight + (anchor.getTime() - Date.UTC(year, anchor.getUTCMonth(), anchor.getUTCDate()))
}
