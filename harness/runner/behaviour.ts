import { runCase } from '../bench/origin-bench.ts'
import type { Session } from '../bench/session.ts'
import { ORIGIN_CAPABILITIES } from '../model/capabilities.ts'
import type { MeasuredProperty, MeasuredValue, Measurement } from '../model/behaviour.ts'
import type { ConformanceCase } from '../model/case.ts'

/** Measures one property after the other; what cannot be measured says why. */
export async function measureAll(
  session: Session,
  measurements: readonly Measurement[],
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
      rows.push({ ...row, why: `needs ${ORIGIN_CAPABILITIES[missing].says}` })
      continue
    }
    const { value, why } = await measureOne(session, measurement, known)
    if (value === undefined) rows.push({ ...row, why })
    else {
      known.set(name, value)
      rows.push({ ...row, value })
    }
  }
  return rows
}

/** Runs a measurement as a case that only records, so that whatever it changes is undone. */
async function measureOne(
  session: Session,
  { name, title, measure }: Measurement,
  known: ReadonlyMap<string, MeasuredValue>,
): Promise<{ readonly value?: MeasuredValue; readonly why: string }> {
  let value: MeasuredValue | undefined
  const subject: ConformanceCase = {
    id: name,
    title,
    level: 'INFO',
    clause: ['trust/off-path'],
    needs: [],
    rationale: title,
    remedy: title,
    async run(bench) {
      value = await measure(bench, known, () => Math.floor(session.nowSec()))
      bench.records(name, value ?? 'unknown')
    },
  }
  const { inconclusive } = await runCase(session, 'behaviour', subject, 1)
  return { ...(value === undefined ? {} : { value }), why: inconclusive ?? 'cannot be told from outside' }
}
