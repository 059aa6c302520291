import { buildConnector, Client } from 'undici'
import { BODY_LIMIT, codeOf, failureOf, headerLines } from './wire.ts'
import type { WireAnswer, WireRequest } from './wire.ts'

/** Hands out the numbers of sockets. */
export type Numbers = () => number

/** One connection at a time, one request at a time, so that the socket of every answer is known. */
export class Lane implements AsyncDisposable {
  readonly #client: Client
  #socket = 0
  #open = false
  #used = false

  constructor(origin: string, next: Numbers) {
    const connector = buildConnector({ allowH2: false, timeout: 5_000 })
    this.#client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (options, callback) => {
        connector(options, (...result) => {
          const [error, socket] = result
          if (error === null) {
            this.#socket = next()
            this.#open = true
            this.#used = false
            socket.once('close', () => {
              this.#open = false
            })
          }
          callback(...result)
        })
      },
    })
  }

  /** False before the first request and once either side has closed the socket. */
  get open(): boolean {
    return this.#open
  }

  /** Sends once; a failure is an answer, not an exception. `reused` tells that the socket had carried a request. */
  async send(request: WireRequest, deadlineMs: number): Promise<WireAnswer & { readonly reused: boolean }> {
    const reused = this.#open && this.#used
    const started = performance.now()
    const deadline = new AbortController()
    const timer = setTimeout(() => {
      deadline.abort()
    }, deadlineMs)
    try {
      const response = await this.#client.request({
        path: request.target,
        method: request.method,
        headers: request.headers.flat(),
        body: request.body ?? null,
        signal: deadline.signal,
        responseHeaders: 'raw',
      })
      const body = await bodyText(response.body)
      this.#used = true
      return {
        status: response.statusCode,
        headers: headerLines(response.headers as unknown as string[]),
        body,
        ms: performance.now() - started,
        connection: this.#socket,
        reused,
      }
    } catch (error) {
      const code = codeOf(error)
      return {
        status: 0,
        headers: [],
        body: '',
        failure: failureOf(code, deadline.signal.aborted),
        code,
        ms: performance.now() - started,
        connection: this.#open || reused ? this.#socket : 0,
        reused,
      }
    } finally {
      clearTimeout(timer)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.destroy()
  }
}

async function bodyText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= BODY_LIMIT) break
  }
  return Buffer.concat(chunks).subarray(0, BODY_LIMIT).toString('utf8')
}
