import type { Clock } from '../clock/clock.ts'
import type { OperatorEvent } from './policy.ts'
import type { GatewaySteps } from './steps.ts'

/** Where lines of a log go. */
export interface LineSink {
  readonly write: (text: string) => unknown
}

/** What looks like an API key or a token, wherever it stands: a path may hold one. */
const SECRET_SHAPED = /\b[\w-]+_[0-9A-Za-z]{16,}(?:_[0-9A-Za-z]+)?|\beyJ[\w-]{8,}(?:\.[\w-]*){0,2}/gu

/** Octets of a path that are kept. */
const MOST_PATH = 256

/** A log of one JSON line for each request: no header, no query, nothing that looks like a credential. */
export function createAccessLog(sink: LineSink, clock: Clock): GatewaySteps['record'] {
  const write = batched(sink)
  return (request, route, { status, ms, by, fault }) => {
    write(
      JSON.stringify({
        time: new Date(clock.nowMs()).toISOString(),
        requestId: request.id,
        method: request.method,
        path: redacted(request.path),
        route: route?.where,
        status,
        ms: Math.round(ms * 10) / 10,
        by,
        consumer: request.user?.sub,
        client: request.clientAddress,
        fault,
      }),
    )
  }
}

/** A log of one JSON line for each event that an operator should know. */
export function createEventLog(sink: LineSink, clock: Clock): (event: OperatorEvent) => void {
  const write = batched(sink)
  return ({ event, ...details }) => {
    write(JSON.stringify({ time: new Date(clock.nowMs()).toISOString(), event, ...details }))
  }
}

function redacted(path: string): string {
  return path.slice(0, MOST_PATH).replaceAll(SECRET_SHAPED, '[redacted]')
}

/** One write for all lines of a turn of the event loop. */
function batched(sink: LineSink): (line: string) => void {
  let lines: string[] = []
  const flush = (): void => {
    const text = `${lines.join('\n')}\n`
    lines = []
    sink.write(text)
  }
  return (line) => {
    if (lines.length === 0) setImmediate(flush)
    lines.push(line)
  }
}
