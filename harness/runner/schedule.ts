import { setTimeout as wait } from 'node:timers/promises'
import { worstOf } from '../bench/outcome.ts'
import type { CaseOutcome } from '../bench/outcome.ts'
import type { Subject } from '../model/case.ts'
import type { CaseResult } from '../model/result.ts'
import type { RunOptions } from './options.ts'
import { Inconclusive } from '../model/errors.ts'
import type { Budget } from './budget.ts'
import { levelOf, missingOf, resultOf, unjudged } from './results.ts'
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

/**
 * Runs the planned cases, those that share nothing together, and gives their results in the planned order. Under a
 * budget the requirements come first; under one of requests, cases run one by one, so that the same ones fit each time.
 */
export async function runAll<S extends Subject>(
  planned: readonly Planned<S>[],
  field: Field<S>,
  context: Context,
  cause: string | undefined,
  { on, signal, budget }: Pick<RunOptions, 'on' | 'signal'> & { readonly budget: Budget },
): Promise<readonly CaseResult[]> {
  const results = new Map<string, CaseResult>()
  let dead: string | undefined
  const report = (result: CaseResult): void => {
    results.set(result.id, result)
    on({ type: 'case', result, done: results.size, of: planned.length })
  }
  const skipFor = (item: Planned<S>, { reason, missing }: Spent): CaseResult => ({
    ...unjudged(item, context, 'skip', reason),
    missing,
  })

  const judge = async (item: Planned<S>, attempt: number): Promise<CaseResult> => {
    signal.throwIfAborted()
    on({ type: 'started', id: item.id })
    const started = performance.now()
    const outcome = await field.run(item, attempt)
    const result = resultOf(item, outcome, performance.now() - started, context)
    // What was let in was let in; of the rest, nobody knows what the requests that were not sent would have shown.
    const cut = budget.cut()
    return cut === undefined || letsIn(result) ? result : unjudged(item, context, 'inconclusive', cut)
  }

  const runnable: Planned<S>[] = []
  for (const item of planned) {
    const missing = missingOf(item, context.capabilities)
    if (missing.length > 0) report(unjudged(item, context, 'skip', needsText(missing), missing))
    else if (cause !== undefined && item.id !== field.controlCase)
      report(unjudged(item, context, 'inconclusive', cause))
    else runnable.push(item)
  }

  const runTogether = async (items: readonly Planned<S>[]): Promise<readonly Doubtful<S>[]> => {
    const doubtful: Doubtful<S>[] = []
    const queue = [...items]
    const worker = async (): Promise<void> => {
      for (let item = queue.shift(); item; item = queue.shift()) {
        const spent = budget.spent()
        const first = spent ? skipFor(item, spent) : await judge(item, 1)
        if (needsConfirmation(first)) doubtful.push({ item, first })
        else report(first)
      }
    }
    await Promise.all(Array.from({ length: TOGETHER }, worker))
    const order = new Map(planned.map(({ id }, index) => [id, index]))
    return doubtful.toSorted((a, b) => (order.get(a.item.id) ?? 0) - (order.get(b.item.id) ?? 0))
  }

  const runAlone = async ({ item, first }: Partial<Doubtful<S>> & Pick<Doubtful<S>, 'item'>): Promise<CaseResult> => {
    if (cause === undefined && !budget.spent()) dead ??= await whyDead(field, planned[0]?.suite.id ?? '', budget)
    const spent = budget.spent()
    if (spent && !first) return skipFor(item, spent)
    if (spent) return unjudged(item, context, 'inconclusive', budget.cut() ?? spent.reason)
    return dead === undefined ? await judge(item, first ? 2 : 1) : unjudged(item, context, 'inconclusive', dead)
  }

  for (const wave of wavesOf(runnable, context, budget)) {
    const isShared = ({ subject }: Planned<S>): boolean =>
      !budget.isCounted && (subject.runs ?? 'together') === 'together'
    const doubtful = await runTogether(wave.filter(isShared))
    const others = wave.filter((item) => !isShared(item)).map((item) => ({ item, first: undefined }))
    for (const { item, first } of [...doubtful, ...others]) {
      const result = await runAlone(first ? { item, first } : { item })
      report(first && letsIn(first) && !letsIn(result) ? first : result)
    }
  }
  return planned.flatMap(({ id }) => results.get(id) ?? [])
}

type Spent = NonNullable<ReturnType<Budget['spent']>>

/** A case whose result among others has to be confirmed alone. */
interface Doubtful<S extends Subject> {
  readonly item: Planned<S>
  readonly first: CaseResult
}

/**
 * What runs before what: cases that are about the whole run come last. Under a budget, requirements come before
 * recommendations, and both before what does not count yet.
 */
function wavesOf<S extends Subject>(
  items: readonly Planned<S>[],
  { capabilities, upcoming }: Context,
  { isLimited }: Budget,
): readonly (readonly Planned<S>[])[] {
  const urgency = (item: Planned<S>): number =>
    !isLimited ? 0 : Object.hasOwn(upcoming, item.id) ? 2 : levelOf(item, capabilities) === 'MUST' ? 0 : 1
  const last = items.filter(({ subject }) => subject.runs === 'last')
  const others = items.filter(({ subject }) => subject.runs !== 'last')
  const waves = [0, 1, 2].map((one) => others.filter((item) => urgency(item) === one))
  return [...waves, last.toSorted((one, other) => urgency(one) - urgency(other))]
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
async function whyDead<S extends Subject>(
  { isAlive, restart }: Field<S>,
  suite: string,
  budget: Budget,
): Promise<string | undefined> {
  try {
    if (await isAlive()) return undefined
    if (restart) await restart()
    const started = Date.now()
    do {
      if (await isAlive()) return undefined
      await wait(POLL_MS)
    } while (Date.now() - started < RECOVERY_MS)
  } catch (error) {
    // Without a budget to ask it, nobody knows.
    if (error instanceof Inconclusive && budget.spent()) return undefined
    throw error
  }
  return `The ${suite.split('/')[0]} stopped answering during the run, so that nothing after it could be judged.`
}

function needsText(missing: readonly string[]): string {
  return `Missing: ${missing.join(', ')}.`
}
