import { Worker } from 'node:worker_threads'
import type { Subject } from '../model/case.ts'
import { TrustspecError } from '../model/errors.ts'
import type { ErrorCode } from '../model/errors.ts'
import { moduleBeside } from '../model/files.ts'
import type { RunEvent } from '../model/events.ts'
import type { Report } from '../model/result.ts'
import type { Progress } from '../report/progress.ts'
import type { Given } from './args.ts'
import type { Common } from './part.ts'

/** What a thread is to do. */
export interface Work {
  readonly given: Given
  readonly parts: readonly { readonly subject: Subject; readonly common: Common }[]
}

/** What a thread tells. */
export type FromThread =
  | { readonly type: 'begun'; readonly subject: Subject; readonly says: string }
  | { readonly type: 'event'; readonly subject: Subject; readonly event: RunEvent }
  | { readonly type: 'note'; readonly subject: Subject; readonly line: string }
  | { readonly type: 'report'; readonly subject: Subject; readonly report: Report }
  | {
      readonly type: 'failed'
      readonly code: ErrorCode
      readonly message: string
      readonly fields: TrustspecError['fields']
      readonly cause: Error | undefined
    }

/** Ends what runs; the thread then ends by itself. */
export type ToThread = 'stop'

/** Parts that run on a thread of their own while this one runs another. */
export interface Beside {
  /** The first line and the report of a part, with its progress from now on. */
  readonly part: (subject: Subject, progress: Progress) => Promise<{ readonly says: string; readonly report: Report }>
}

interface Known {
  says: string
  progress?: Progress
  readonly report: PromiseWithResolvers<Report>
}

/** Starts the thread: two cores then share what no part has to wait for the other with. */
export function startBeside(work: Work, signal: AbortSignal): Beside {
  const known = new Map<Subject, Known>(
    work.parts.map(({ subject }) => [subject, { says: '', report: Promise.withResolvers<Report>() }]),
  )
  const fail = (error: unknown): void => {
    for (const { report } of known.values()) report.reject(error)
  }
  // Whoever asks for a part is told; one that is asked for by nobody must not end the process.
  for (const { report } of known.values()) report.promise.catch(() => undefined)
  const thread = new Worker(moduleBeside('thread', import.meta.url), { workerData: work })
  thread.on('message', (message: FromThread) => {
    if (message.type === 'failed') {
      const { code, message: text, fields, cause } = message
      fail(new TrustspecError(code, text, fields, { cause }))
      return
    }
    const part = known.get(message.subject)
    if (!part) return
    if (message.type === 'begun') part.says = message.says
    else if (message.type === 'event') part.progress?.on(message.event)
    else if (message.type === 'note') part.progress?.note(message.line)
    else part.report.resolve(message.report)
  })
  thread.on('error', fail)
  signal.addEventListener('abort', () => {
    // eslint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    thread.postMessage('stop' satisfies ToThread)
    fail(signal.reason)
  })
  return {
    async part(subject, progress) {
      const part = known.get(subject)
      if (!part) throw new TrustspecError('ERR_HARNESS', 'No thread runs this part', { subject })
      part.progress = progress
      return { report: await part.report.promise, says: part.says }
    },
  }
}
