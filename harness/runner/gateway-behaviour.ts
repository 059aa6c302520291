import { runGatewayCase } from '../bench/gateway-bench.ts'
import type { GatewaySession } from '../bench/gateway-session.ts'
import type { GatewayMeasurement, MeasuredProperty, MeasuredValue } from '../model/behaviour.ts'
import type { ConformanceCase } from '../model/case.ts'
import { GATEWAY_CAPABILITIES } from '../model/gateway-capabilities.ts'

/** Measures the behaviour profile of a gateway, one property after the other. */
export async function measureGateway(
  session: GatewaySession,
  measurements: readonly GatewayMeasurement[],
  signal: AbortSignal,
): Promise<readonly MeasuredProperty[]> {
  const known = new Map<string, MeasuredValue>()
  const rows: MeasuredProperty[] = []
  for (const measurement of measurements) {
    signal.throwIfAborted()
    const { name, title, unit, needs } = measurement
    const row = { name, title, ...(unit === undefined ? {} : { unit }) }
    const missing = needs.find((need) => !session.capabilities.has(need))
    if (missing !== undefined) {
      rows.push({ ...row, why: `needs ${GATEWAY_CAPABILITIES[missing].says}` })
      continue
    }
    const measured = await measureOne(session, measurement, known)
    if ('value' in measured) known.set(name, measured.value)
    rows.push({ ...row, ...measured })
  }
  return rows
}

/** Runs a measurement as a case that only records, so that whatever it changes is undone. */
async function measureOne(
  session: GatewaySession,
  { name, title, measure }: GatewayMeasurement,
  known: ReadonlyMap<string, MeasuredValue>,
): Promise<{ readonly value: MeasuredValue } | { readonly why: string }> {
  let value: MeasuredValue | undefined
  const subject: ConformanceCase<'gateway'> = {
    id: name,
    title,
    level: 'INFO',
    clause: ['trust/off-path'],
    needs: [],
    rationale: title,
    remedy: title,
    async run(bench) {
      value = await measure(bench, known)
      bench.records(name, value ?? 'unknown')
    },
  }
  const { inconclusive, notApplicable } = await runGatewayCase(session, 'behaviour', subject, 1)
  return value === undefined ? { why: notApplicable ?? inconclusive ?? 'cannot be told from outside' } : { value }
}
