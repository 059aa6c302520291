import { parentPort, workerData } from 'node:worker_threads'
import { TrustspecError } from '../model/errors.ts'
import type { RunEvent } from '../model/events.ts'
import type { FromThread, ToThread, Work } from './beside.ts'
import { partOf } from './parts.ts'

/** Runs parts of a run on a thread of its own, one after the other; see beside.ts. */
const port = parentPort
if (!port) throw new TrustspecError('ERR_HARNESS', 'This module is for a thread')
const tell = (message: FromThread): void => {
  port.postMessage(message)
}
const stopped = new AbortController()
port.on('message', (message: ToThread) => {
  if (message === 'stop') stopped.abort()
})

try {
  const { given, parts } = workerData as Work
  for (const { subject, common } of parts) {
    const part = await partOf(given, common, subject, {})
    tell({ type: 'begun', subject, says: part.says })
    const progress = {
      on: (event: RunEvent) => {
        if (event.type === 'case') tell({ type: 'event', subject, event })
      },
      note: (line: string) => {
        tell({ type: 'note', subject, line })
      },
      end: () => undefined,
    }
    const print = (text: string): void => {
      tell({ type: 'note', subject, line: text.trimEnd() })
    }
    tell({ type: 'report', subject, report: await part.run({ print, progress }, stopped.signal) })
  }
} catch (error) {
  if (!(error instanceof TrustspecError)) throw error
  const { code, message, fields, cause } = error
  tell({ type: 'failed', code, message, fields, cause: cause instanceof Error ? cause : undefined })
} finally {
  port.close()
}
