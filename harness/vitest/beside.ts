import { Worker } from 'node:worker_threads'
import type { Common } from '../cli/part.ts'
import { TrustspecError } from '../model/errors.ts'
import type { ErrorCode } from '../model/errors.ts'
import { moduleBeside } from '../model/files.ts'
import { AsyncDisposableStack } from '../model/stack.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { Report } from '../model/result.ts'
import type { OriginUnderTest, ServersOfRun, Told } from './origin.ts'

/** What the thread is to do. */
export interface Work {
  readonly common: Common
  readonly profile: OriginProfile
  readonly control: 'issuer' | 'token' | 'none'
  /** URLs of an issuer that is intercepted. */
  readonly known?: { readonly issuer: string; readonly jwksUrl: string }
}

/** What the thread asks of the process that the origin may run in; each is answered once. */
export type Question =
  | { readonly ask: 'url'; readonly told: Told }
  | { readonly ask: 'token' }
  | { readonly ask: 'intercept'; readonly servers: ServersOfRun }

/** What the thread tells. */
export type FromThread =
  | (Question & { readonly type: 'question'; readonly number: number })
  | { readonly type: 'report'; readonly report: Report }
  | {
      readonly type: 'failed'
      readonly code: ErrorCode
      readonly message: string
      readonly fields: TrustspecError['fields']
    }

/** What the thread is told: an answer, why there is none, or to stop. */
export type ToThread =
  | { readonly number: number; readonly answer: string }
  | { readonly number: number; readonly error: string }
  | 'stop'

/**
 * Tests the origin from a thread of its own: what the test process replaces, such as its sockets or its clock, must not
 * change what the run sends and measures, and the run must not take the time of an origin in the test process.
 */
export async function runBeside(origin: OriginUnderTest, common: Common, signal: AbortSignal): Promise<Report> {
  const { url, issuer, realToken, ...profile } = origin
  const control = realToken ? 'token' : issuer || typeof url === 'function' ? 'issuer' : 'none'
  const work: Work = {
    common,
    profile,
    control,
    ...(issuer ? { known: { issuer: issuer.issuer, jwksUrl: issuer.jwksUrl } } : {}),
  }
  await using stack = new AsyncDisposableStack()
  const answer = async (question: Question): Promise<string> => {
    if (question.ask === 'url') return typeof url === 'string' ? url : await url(question.told)
    if (question.ask === 'token') return (await realToken?.()) ?? ''
    if (issuer) stack.use(await issuer.intercept(question.servers))
    return ''
  }
  const thread = new Worker(moduleBeside('thread', import.meta.url), { workerData: work })
  const tell = (message: ToThread): void => {
    // eslint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    thread.postMessage(message)
  }
  stack.defer(async () => {
    await thread.terminate()
  })
  signal.addEventListener('abort', () => {
    tell('stop')
  })
  return await new Promise<Report>((resolve, reject) => {
    // The first error of the user's own code is what has to be seen, with its stack.
    let cause: Error | undefined
    thread.on('error', reject)
    thread.once('exit', () => {
      reject(new TrustspecError('ERR_HARNESS', 'The thread of the run has ended without a report'))
    })
    thread.on('message', (message: FromThread) => {
      if (message.type === 'report') resolve(message.report)
      else if (message.type === 'failed') {
        reject(cause ?? new TrustspecError(message.code, message.message, message.fields))
      } else {
        answer(message).then(
          (text) => {
            tell({ number: message.number, answer: text })
          },
          (error: unknown) => {
            cause ??= error instanceof Error ? error : new Error(String(error))
            tell({ number: message.number, error: String(error) })
          },
        )
      }
    })
  })
}
