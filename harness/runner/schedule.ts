import { setTimeout as wait } from 'node:timers/promises'
import { worstOf } from '../bench/outcome.ts'
import type { CaseOutcome } from '../bench/outcome.ts'
import type { Subject } from '../model/case.ts'
import type { CaseResult } from '../model/result.ts'
import type { RunOptions } from './options.ts'
import { missingOf, resultOf, unjudged } from './results.ts'
import type { Context } from './results.ts'
import type { Planned } from './select.ts'

/** Cases that run at the same time. */
const TOGETHER = 6

/** What a schedule has to know of what is under test. */
export interface Field<S extends Subject> {
  /** Full id of the case that is about the control itself: it is judged even where the control fails. */
  readonly controlCase: string
  /** Runs a case; `attempt` tells runs of the same case apart. */
  readonly run: (item: Planned<S>, attempt: number) => Promise<CaseOutcome>
  /** Whether anything answers. */
  readonly isAlive: () => Promise<boolean>
  /** Starts it again, where the harness can. */
  readonly restart?: () => Promise<void>
}

/** Runs the planned cases, those that share nothing together, and gives their results in the planned order. */
export async function runAll<S extends Subject>(
  planned: readonly Planned<S>[],
  field: Field<S>,
  context: Context,
  cause: string | undefined,
  options: Pick<RunOptions, 'on' | 'signal'>,
): Promise<readonly CaseResult[]> {
  const results = new Map<string, CaseResult>()
  let dead: string | undefined
  const report = (result: CaseResult): void => {
    results.set(result.id, result)
    options.on({ type: 'case', result, done: results.size, of: planned.length })
  }

  const judge = async (item: Planned<S>, attempt: number): Promise<CaseResult> => {
    options.signal.throwIfAborted()
    options.on({ type: 'started', id: item.id })
    const started = performance.now()
    const outcome = await field.run(item, attempt)
    return resultOf(item, outcome, performance.now() - started, context)
  }

  const runnable: Planned<S>[] = []
  for (const item of planned) {
    const missing = missingOf(item, context.capabilities)
    if (missing.length > 0) report(unjudged(item, context, 'skip', needsText(missing), missing))
    else if (cause !== undefined && item.id !== field.controlCase)
      report(unjudged(item, context, 'inconclusive', cause))
    else runnable.push(item)
  }

  const doubtful: { readonly item: Planned<S>; readonly first: CaseResult }[] = []
  const queue = runnable.filter(({ subject }) => (subject.runs ?? 'together') === 'together')
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item; item = queue.shift()) {
      const first = await judge(item, 1)
      if (needsConfirmation(first)) doubtful.push({ item, first })
      else report(first)
    }
  }
  await Promise.all(Array.from({ length: TOGETHER }, worker))

  const order = new Map(planned.map(({ id }, index) => [id, index]))
  doubtful.sort((a, b) => (order.get(a.item.id) ?? 0) - (order.get(b.item.id) ?? 0))
  const alone: readonly { readonly item: Planned<S>; readonly first?: CaseResult }[] = [
    ...doubtful,
    ...['alone', 'last'].flatMap((kind) =>
      runnable.filter(({ subject }) => subject.runs === kind).map((item) => ({ item })),
    ),
  ]
  for (const { item, first } of alone) {
    dead ??= cause === undefined ? await whyDead(field, planned[0]?.suite.id ?? '') : undefined
    const result = dead === undefined ? await judge(item, first ? 2 : 1) : unjudged(item, context, 'inconclusive', dead)
    report(first && letsIn(first) && !letsIn(result) ? first : result)
  }
  return planned.flatMap(({ id }) => results.get(id) ?? [])
}

/**
 * Among cases that run together a crash may be another one's doing, and so may be the refusal that follows: such
 * a case runs again alone, and that run counts. What was let in was let in, and stays.
 */
function needsConfirmation({ verdict, findings }: CaseResult): boolean {
  return verdict === 'inconclusive' || findings.some(({ failure }) => failure !== 'fail-open')
}

function letsIn({ findings }: CaseResult): boolean {
  return worstOf(findings) === 'fail-open'
}

/** Milliseconds in which an origin may come back by itself, as under a supervisor. */
const RECOVERY_MS = 3_000

const POLL_MS = 100

/** Why nothing can be judged any more, if so; the target is started again where the harness can. */
async function whyDead<S extends Subject>({ isAlive, restart }: Field<S>, suite: string): Promise<string | undefined> {
  if (await isAlive()) return undefined
  if (restart) await restart()
  const started = Date.now()
  do {
    if (await isAlive()) return undefined
    await wait(POLL_MS)
  } while (Date.now() - started < RECOVERY_MS)
  return `The ${suite.split('/')[0]} stopped answering during the run, so that nothing after it could be judged.`
}

function needsText(missing: readonly string[]): string {
  return `Missing: ${missing.join(', ')}.`
}
