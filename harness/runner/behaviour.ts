import { runGatewayCase } from '../bench/gateway-bench.ts'
import type { GatewaySession } from '../bench/gateway-session.ts'
import { runCase } from '../bench/origin-bench.ts'
import type { Session } from '../bench/session.ts'
import type { OriginBench } from '../model/bench.ts'
import type {
  GatewayMeasurement,
  Measured,
  MeasuredProperty,
  MeasuredValue,
  Measurement,
  Series,
} from '../model/behaviour.ts'
import { ORIGIN_CAPABILITIES } from '../model/capabilities.ts'
import type { Capability } from '../model/capabilities.ts'
import type { GatewayBench } from '../model/gateway-bench.ts'
import { GATEWAY_CAPABILITIES } from '../model/gateway-capabilities.ts'
import type { Budget } from './budget.ts'

/** What ends measuring early. */
interface Bounds {
  readonly signal: AbortSignal
  readonly budget: Budget
}

/** Measures one property of an origin after the other; what cannot be measured says why. */
export async function measureAll(
  session: Session,
  measurements: readonly Measurement[],
  bounds: Bounds,
): Promise<readonly MeasuredProperty[]> {
  const context = { capabilities: session.capabilities, says: ORIGIN_CAPABILITIES, ...bounds }
  return await measureEach(measurements, context, async ({ measure, ...named }, known, keep) => {
    const subject = recording(named, async (bench: OriginBench) => {
      bench.records(named.name, keep(await measure(bench, known, () => Math.floor(session.nowSec()))))
    })
    return (await runCase(session, 'behaviour', subject, 1)).inconclusive
  })
}

/** Measures one property of a gateway after the other. */
export async function measureGateway(
  session: GatewaySession,
  measurements: readonly GatewayMeasurement[],
  bounds: Bounds,
): Promise<readonly MeasuredProperty[]> {
  const context = { capabilities: session.capabilities, says: GATEWAY_CAPABILITIES, ...bounds }
  return await measureEach(measurements, context, async ({ measure, ...named }, known, keep) => {
    const subject = recording(named, async (bench: GatewayBench) => {
      bench.records(named.name, keep(await measure(bench, known)))
    })
    const { notApplicable, inconclusive } = await runGatewayCase(session, 'behaviour', subject, 1)
    return notApplicable ?? inconclusive
  })
}

/** A case that only records, so that whatever it changes is undone. */
function recording<B>({ name, title }: Pick<Measurement, 'name' | 'title'>, run: (bench: B) => Promise<void>) {
  return {
    id: name,
    title,
    level: 'INFO',
    clause: ['trust/off-path'],
    needs: [],
    rationale: title,
    remedy: title,
    run,
  } as const
}

async function measureEach<M extends Pick<Measurement, 'name' | 'title' | 'unit'> & { needs: readonly string[] }>(
  measurements: readonly M[],
  context: Bounds & {
    readonly capabilities: ReadonlySet<string>
    readonly says: Readonly<Record<string, Capability>>
  },
  /** Takes the measurement, tells `keep` its value, which gives it back for the record, and says what was in the way. */
  take: (
    measurement: M,
    known: ReadonlyMap<string, MeasuredValue>,
    keep: (found: MeasuredValue | Measured | undefined) => MeasuredValue,
  ) => Promise<string | undefined>,
): Promise<readonly MeasuredProperty[]> {
  const { capabilities, says, signal, budget } = context
  const known = new Map<string, MeasuredValue>()
  const rows: MeasuredProperty[] = []
  for (const measurement of measurements) {
    signal.throwIfAborted()
    const { name, title, unit, needs } = measurement
    const row = { name, title, ...(unit === undefined ? {} : { unit }) }
    const missing = needs.find((need) => !capabilities.has(need))
    if (missing !== undefined) {
      rows.push({ ...row, why: `needs ${says[missing]?.says ?? missing}` })
      continue
    }
    const spent = budget.spent()
    if (spent) {
      rows.push({ ...row, why: spent.reason.replace(/ before it began\.$/u, '') })
      continue
    }
    let series: Series | undefined
    const why = await take(measurement, known, (found) => {
      const value = typeof found === 'object' ? found.value : found
      if (typeof found === 'object') ({ series } = found)
      if (value !== undefined) known.set(name, value)
      return value ?? 'unknown'
    })
    const value = known.get(name)
    const found = value === undefined ? { why: why ?? 'cannot be told from outside' } : { value }
    rows.push({ ...row, ...found, ...(series === undefined ? {} : { series }) })
  }
  return rows
}
