import type { Route, GatewaySteps } from './steps.ts'

/** Upper bounds of the buckets, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Numbers that are read at the moment of the scrape. */
export type Gauges = Readonly<Record<string, { readonly help: string; readonly value: () => number }>>

/** Counters of a gateway, in the text format of Prometheus. */
export interface Metrics {
  readonly record: GatewaySteps['record']
  readonly text: () => string
}

interface Series {
  requests: number
  readonly buckets: number[]
  seconds: number
}

/** Counts requests by route, status and who answered, with a histogram of their time, and faults by code. */
export function createMetrics(gauges: Gauges): Metrics {
  const series = new Map<string, Series>()
  const faults = new Map<string, number>()
  /** Label texts by route, made once. */
  const labels = new Map<Route | undefined, string>()
  const labelOf = (route: Route | undefined): string => {
    const known = labels.get(route) ?? `route="${escaped(route?.where ?? 'none')}"`
    labels.set(route, known)
    return known
  }
  return {
    record(_request, route, { status, ms, by, fault }) {
      const label = `${labelOf(route)},status="${status}",by="${by}"`
      let one = series.get(label)
      if (!one) {
        one = { requests: 0, buckets: BUCKETS.map(() => 0), seconds: 0 }
        series.set(label, one)
      }
      const seconds = ms / 1000
      one.requests += 1
      one.seconds += seconds
      const at = BUCKETS.findIndex((bound) => seconds <= bound)
      if (at >= 0) one.buckets[at] = (one.buckets[at] ?? 0) + 1
      if (fault !== undefined) faults.set(fault, (faults.get(fault) ?? 0) + 1)
    },
    text() {
      const lines = [
        '# HELP gateway_request_duration_seconds Time from the head of a request to the end of its answer.',
        '# TYPE gateway_request_duration_seconds histogram',
      ]
      for (const [label, { requests, buckets, seconds }] of series) {
        let sum = 0
        for (const [at, bound] of BUCKETS.entries()) {
          sum += buckets[at] ?? 0
          lines.push(`gateway_request_duration_seconds_bucket{${label},le="${bound}"} ${sum}`)
        }
        lines.push(
          `gateway_request_duration_seconds_bucket{${label},le="+Inf"} ${requests}`,
          `gateway_request_duration_seconds_sum{${label}} ${seconds}`,
          `gateway_request_duration_seconds_count{${label}} ${requests}`,
        )
      }
      lines.push(
        '# HELP gateway_faults_total Requests that failed on the way, by code.',
        '# TYPE gateway_faults_total counter',
      )
      for (const [code, count] of faults) lines.push(`gateway_faults_total{code="${escaped(code)}"} ${count}`)
      for (const [name, { help, value }] of Object.entries(gauges)) {
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${value()}`)
      }
      return `${lines.join('\n')}\n`
    },
  }
}

function escaped(text: string): string {
  return text.replaceAll(/["\\]/gu, String.raw`\$&`).replaceAll('\n', String.raw`\n`)
}
