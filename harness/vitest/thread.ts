import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { MEASUREMENTS } from '../../suites/behaviour/measurements.ts'
import { SUITES } from '../../suites/catalog.ts'
import { assertAllowed } from '../cli/address.ts'
import { urlOf } from '../cli/args.ts'
import { defaultKeyFile, loadKeys } from '../issuer/keyfile.ts'
import { TrustspecError } from '../model/errors.ts'
import type { Control, RunOptions } from '../runner/options.ts'
import { runOrigin } from '../runner/run.ts'
import { urlTarget } from '../targets/url.ts'
import type { FromThread, Question, ToThread, Work } from './beside.ts'

/** Tests an origin for the test process that started this thread; see beside.ts. */
const port = parentPort
if (!port) throw new TrustspecError('ERR_HARNESS', 'This module is for a thread')
const tell = (message: FromThread): void => {
  port.postMessage(message)
}
const stopped = new AbortController()
const open = new Map<number, PromiseWithResolvers<string>>()
port.on('message', (message: ToThread) => {
  if (message === 'stop') {
    stopped.abort()
    return
  }
  const waiting = open.get(message.number)
  if ('answer' in message) waiting?.resolve(message.answer)
  else
    waiting?.reject(
      new TrustspecError('ERR_TARGET_DID_NOT_START', 'The test process failed', { reason: message.error }),
    )
})

/** Asks the test process; rejects where that has no answer. */
async function ask(question: Question): Promise<string> {
  const number = open.size + 1
  const answer = Promise.withResolvers<string>()
  open.set(number, answer)
  tell({ type: 'question', number, ...question })
  return await answer.promise
}

/** Serves the documents of the issuer on a port of this thread, for the test process to fetch them from. */
const intercept: NonNullable<RunOptions['intercept']> = async (handle, canaryUrl) => {
  let connects = 0
  const server = http.createServer((request, response) => {
    connects += 1
    handle(request, response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const serverUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await ask({ ask: 'intercept', servers: { serverUrl, canaryUrl } })
  return {
    connects: () => connects,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

try {
  const { common, profile, control: kind, known } = workerData as Work
  const keys = await loadKeys(defaultKeyFile(process.env))
  const control: Control =
    kind === 'token'
      ? { kind, keys, token: () => ask({ ask: 'token' }) }
      : kind === 'none'
        ? { kind, keys }
        : { kind, keys, port: 0, ...(known ? { known } : {}) }
  const { behaviour, ...options } = common
  const report = await runOrigin({
    ...options,
    suites: SUITES,
    profile,
    control,
    measurements: behaviour ? MEASUREMENTS : [],
    async start({ issuer, jwksUrl, audience }) {
      const url = urlOf(
        await ask({ ask: 'url', told: { issuer, jwksUrl, audience } }),
        'The URL of the origin',
        'token',
      )
      await assertAllowed(url, false)
      return urlTarget(url.href)
    },
    ...(known ? { intercept } : {}),
    on: () => undefined,
    signal: stopped.signal,
  })
  tell({ type: 'report', report })
} catch (error) {
  if (!(error instanceof TrustspecError)) throw error
  const { code, message, fields } = error
  tell({ type: 'failed', code, message, fields })
} finally {
  port.close()
}
