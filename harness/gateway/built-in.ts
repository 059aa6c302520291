import type { IncomingMessage } from 'node:http'
import type { Headers } from './headers.ts'
import { problem } from './reply.ts'
import type { Verdict } from './reply.ts'

/** What the gateway answers itself, whatever routes there are. */
export interface BuiltIns {
  /** The answer, where the path is one of them. */
  readonly answer: (path: string, incoming: IncomingMessage, headers: Headers) => Verdict | Promise<Verdict> | undefined
}

/** Parts that answer at paths of their own. */
export interface BuiltInParts {
  /** Discovery document and JWKS; undefined where the path is not theirs. */
  readonly tokens: ((path: string, method: string, headers: Headers) => Verdict | undefined) | undefined
  /** The receiver of secret-scanning alerts, and its path. */
  readonly alerts:
    | { readonly path: string; readonly receive: (headers: Headers, body: Uint8Array) => Promise<Verdict> }
    | undefined
}

/** Octets of an alert: more than the largest batch that a scanner sends at once. */
const MOST_ALERT_OCTETS = 4 * 1024 * 1024

const PING = '/__zuplo/ping'

/** Paths that no route can take over. */
const RESERVED = '/__zuplo/'

/** Ping, issuer and alerts; any other path below `/__zuplo/` is nobody's. */
export function createBuiltIns({ tokens, alerts }: BuiltInParts): BuiltIns {
  return {
    answer(path, incoming, headers) {
      const method = incoming.method ?? ''
      const own = tokens?.(path, method, headers)
      if (own) return own
      if (alerts && path === alerts.path) {
        if (method !== 'POST') return problem(405, { headers: [['Allow', 'POST']] })
        return received(incoming, headers, alerts.receive)
      }
      if (path === PING) {
        if (method !== 'GET' && method !== 'HEAD') return problem(405, { headers: [['Allow', 'GET, HEAD']] })
        return {
          status: 200,
          headers: [
            ['Content-Type', 'text/plain'],
            ['Cache-Control', 'no-store'],
          ],
          body: 'pong',
        }
      }
      return path.startsWith(RESERVED) ? problem(404) : undefined
    },
  }
}

async function received(
  incoming: IncomingMessage,
  headers: Headers,
  receive: (headers: Headers, body: Uint8Array) => Promise<Verdict>,
): Promise<Verdict> {
  const chunks: Uint8Array[] = []
  let octets = 0
  try {
    // The iterator would close the connection with itself, and the refusal would not be seen.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      octets += chunk.length
      if (octets > MOST_ALERT_OCTETS) return problem(413, { close: true })
      chunks.push(chunk)
    }
  } catch {
    return problem(400, { detail: 'The body broke off', close: true })
  }
  return await receive(headers, Buffer.concat(chunks))
}
