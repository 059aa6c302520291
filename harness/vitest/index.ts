import { randomInt } from 'node:crypto'
import { beforeAll, describe, test } from 'vitest'
import type { Common } from '../cli/part.ts'
import { ConfigurationError } from '../config/mistakes.ts'
import { sentence, TrustspecError } from '../model/errors.ts'
import type { FailOnWord } from '../model/fail-on.ts'
import type { Report } from '../model/result.ts'
import type { Level } from '../model/verdict.ts'
import { judge, whyWorthless } from './judge.ts'
import { prepare } from './target.ts'
import type { ConformanceTarget, Prepared } from './target.ts'

export type { ConformanceTarget } from './target.ts'
export type { InterceptedIssuer, OriginUnderTest, Told } from './origin.ts'

/** How a target is judged. */
export interface ConformanceOptions {
  /** Name of the group of tests; default: `conformance of the origin`, gateway or chain. */
  readonly name?: string
  /** Only the cases of these suites, such as `claims`. */
  readonly suites?: readonly string[]
  readonly levels?: readonly Level[]
  /** What fails a test, as `--fail-on`; default: what is broken or could not be established of a requirement. */
  readonly failOn?: readonly FailOnWord[]
  /** File of the known findings, as `--baseline`. */
  readonly baseline?: string
  /** Edition of the requirements that counts, as `--edition`. */
  readonly edition?: string
  /** Repeats the random values of a run. */
  readonly seed?: number
  /** Longest wait for one answer, in milliseconds; default 5,000. */
  readonly answerTimeout?: number
  /** Longest duration of the run, in milliseconds; default ten minutes. */
  readonly timeout?: number
}

const TEN_MINUTES = 600_000

/** Milliseconds that a run has to end in once it was told to. */
const GRACE_MS = 10_000

/** Name of the test about the run as a whole. */
const WHOLE = 'the run proves something, and accepted findings still show'

/**
 * Makes a test of every case. The run takes place once, before the first of them, with the cases that the filters of
 * vitest have left alone. Throws at once for a target or a suite that it cannot make sense of.
 */
export function describeConformance(target: ConformanceTarget, options: ConformanceOptions = {}): void {
  const { suites, levels, timeout = TEN_MINUTES } = options
  const narrowed = { ...(suites ? { suites } : {}), ...(levels ? { levels } : {}) }
  const { subject, cases, gate, run } = inWords(() => prepare(target, narrowed, options))
  describe(options.name ?? `conformance of the ${subject}`, () => {
    let report: Report | undefined
    // eslint-disable-next-line no-empty-pattern -- vitest wants fixtures to be destructured here
    beforeAll(async ({}, suite) => {
      const wanted = new Set(
        suite.tasks.filter(({ mode }) => mode !== 'skip' && mode !== 'todo').map(({ name }) => name),
      )
      const chosen = cases.filter((one) => wanted.has(nameOf(one))).map(({ id }) => id)
      const common: Common = {
        ...gate,
        select: { ...narrowed, ...(chosen.length === cases.length || chosen.length === 0 ? {} : { cases: chosen }) },
        seed: options.seed ?? randomInt(2 ** 32),
        deadlineMs: options.answerTimeout ?? 5_000,
        behaviour: false,
      }
      const signal = AbortSignal.timeout(timeout)
      report = await run(common, signal).catch((error: unknown) => {
        throw signal.aborted
          ? bare(`The run did not end within ${timeout / 1000} s: give it a longer "timeout".`)
          : told(error)
      })
    }, timeout + GRACE_MS)
    for (const one of cases) {
      test(nameOf(one), async (context) => {
        const result = report?.cases.find(({ id }) => id === one.id)
        if (!result) throw new Error('The run has no result of this case')
        const { kind, text } = judge(result, subject, gate.failOn)
        if (kind === 'skip') context.skip(text)
        if (kind === 'fail') throw bare(text)
        if (kind === 'warning') await context.annotate(text, 'warning')
      })
    }
    test(WHOLE, () => {
      const why = report && whyWorthless(report, gate.failOn)
      if (why !== undefined) throw bare(why)
    })
  })
}

/** Begins with the id, so that a filter such as `-t origin/claims/iss-wrong` or `-t origin/claims` finds it. */
function nameOf({ id, title }: Prepared['cases'][number]): string {
  return `${id} ${title}`
}

/** An error whose text says it all: a stack would lead into trustspec. */
function bare(text: string): Error {
  const error = new Error(text)
  error.stack = `Error: ${text}`
  return error
}

/** An error of ours in sentences, as the command line prints it; any other one as it is. */
function told(error: unknown): unknown {
  if (!(error instanceof TrustspecError)) return error
  const all = error instanceof ConfigurationError ? error.all : [error]
  return Object.assign(new Error(all.map((one) => `${one.code}: ${sentence(one)}`).join('\n')), { cause: error })
}

function inWords<T>(action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw told(error)
  }
}
