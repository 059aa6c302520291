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
  readonly label: string
  requests: number
  readonly buckets: number[]
  seconds: number
}

/** Counts requests by route, status and who answered, with a histogram of their time, and faults by code. */
export function createMetrics(gauges: Gauges): Metrics {
  /** By route, then by status and who answered: found without making a text for each request. */
  const series = new Map<Route | undefined, Map<number, Series>>()
  const faults = new Map<string, number>()
  return {
    record(_request, route, { status, ms, by, fault }) {
      let own = series.get(route)
      if (!own) {
        own = new Map()
        series.set(route, own)
      }
      const id = by === 'origin' ? status : -1 - status
      let one = own.get(id)
      if (!one) {
        const label = `route="${escaped(route?.where ?? 'none')}",status="${status}",by="${by}"`
        one = { label, requests: 0, buckets: BUCKETS.map(() => 0), seconds: 0 }
        own.set(id, one)
      }
      const seconds = ms / 1000
      one.requests += 1
      one.seconds += seconds
      let at = 0
      while (at < BUCKETS.length && seconds > (BUCKETS[at] ?? 0)) at += 1
      if (at < BUCKETS.length) one.buckets[at] = (one.buckets[at] ?? 0) + 1
      if (fault !== undefined) faults.set(fault, (faults.get(fault) ?? 0) + 1)
    },
    text() {
      const lines = [
        '# HELP gateway_request_duration_seconds Time from the head of a request to the end of its answer.',
        '# TYPE gateway_request_duration_seconds histogram',
      ]
      for (const { label, requests, buckets, seconds } of [...series.values()].flatMap((own) => [...own.values()])) {
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
