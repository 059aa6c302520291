import type { Measured, MeasuredValue, Series } from '../../harness/model/behaviour.ts'

/** Points as they are tried, for the plot of a measured value. */
export interface Plot {
  readonly note: (x: number, y: number | boolean) => void
  /** The value with the points in order of x, where there is a value and more than one point. */
  readonly of: (value: MeasuredValue | undefined) => Measured | MeasuredValue | undefined
}

/** An empty plot; of two points at the same x the later one counts. */
export function plot(axes: Pick<Series, 'x' | 'y'>): Plot {
  const points = new Map<number, number>()
  return {
    note(x, y) {
      points.set(x, Number(y))
    },
    of(value) {
      if (value === undefined || points.size < 2) return value
      return { value, series: { ...axes, points: [...points].toSorted(([one], [other]) => one - other) } }
    },
  }
}

/** The y axis of points that were accepted or not. */
export const ACCEPTED = 'accepted (1) or not (0)'
