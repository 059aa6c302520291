import type { GatewayBench } from './gateway-bench.ts'
import type { GatewayCapability } from './gateway-capabilities.ts'
import type { OriginBench } from './bench.ts'
import type { OriginCapability } from './capabilities.ts'

/** A measured value; a list is joined by commas. */
export type MeasuredValue = number | boolean | string

/** A measured value with the points behind it. */
export interface Measured {
  readonly value: MeasuredValue
  readonly series: Series
}

/** One property of an origin that is measured, not declared. */
export interface Measurement {
  /** Unique, kebab-case, never renamed. */
  readonly name: string
  /** What it is, for the table. */
  readonly title: string
  readonly unit?: 's' | 'ms' | 'octets'
  /** Without one of these it is not measured, and the table says so. */
  readonly needs: readonly OriginCapability[]
  /**
   * The value; `known` has those of earlier measurements by name, `second` tells the whole second at the origin as it
   * is at the moment. Undefined where it cannot be told.
   */
  readonly measure: (
    bench: OriginBench,
    known: ReadonlyMap<string, MeasuredValue>,
    second: () => number,
  ) => Promise<MeasuredValue | Measured | undefined>
}

/** Points behind a measured value, for a plot: fetches over time, accepted requests over a window, accepted ages. */
export interface Series {
  /** What the axes are, with the unit: `seconds after the token expired`. */
  readonly x: string
  readonly y: string
  /** Ascending in x. */
  readonly points: readonly (readonly [x: number, y: number])[]
}

/** A row of the behaviour profile. */
export interface MeasuredProperty {
  readonly name: string
  readonly title: string
  readonly unit?: 's' | 'ms' | 'octets'
  readonly value?: MeasuredValue
  readonly series?: Series
  /** Why there is no value: one sentence. */
  readonly why?: string
}

/** One property of a gateway that is measured, not declared. */
export interface GatewayMeasurement extends Pick<Measurement, 'name' | 'title' | 'unit'> {
  readonly needs: readonly GatewayCapability[]
  /** The value; `known` has those of earlier measurements by name. Undefined where it cannot be told. */
  readonly measure: (
    bench: GatewayBench,
    known: ReadonlyMap<string, MeasuredValue>,
  ) => Promise<MeasuredValue | Measured | undefined>
}
