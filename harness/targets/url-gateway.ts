import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { MovableClock } from '../clock/clock.ts'
import { Inconclusive } from '../model/errors.ts'
import type { GatewayHooks, KeyWish } from '../model/gateway-bench.ts'
import type { GatewayTarget } from './gateway-target.ts'

/** Longest wait until a gateway that was restarted listens, in milliseconds. */
const READY_MS = 30_000

const POLL_MS = 20

/** How a gateway by URL is reached and operated. */
export interface UrlGatewayOptions {
  readonly url: string
  /** Whether it is set up to forward to the capture origins of the run. */
  readonly captured: boolean
  readonly hooks: Partial<GatewayHooks>
  readonly wishes: readonly (keyof KeyWish)[]
  /** A hook that it offers. */
  readonly clock?: MovableClock
}

/** Whatever gateway listens at the URL; it is neither started nor stopped, save by the hooks of its operator. */
export function urlGateway({ url, captured, hooks, wishes, clock }: UrlGatewayOptions): GatewayTarget {
  const { restart } = hooks
  return {
    kind: 'url',
    url,
    profile: {},
    expected: [],
    captured,
    wishes,
    ...(clock ? { clock } : {}),
    hooks: {
      ...hooks,
      ...(restart === undefined
        ? {}
        : {
            async restart() {
              await restart()
              await listens(new URL(url))
            },
          }),
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function listens(url: URL): Promise<void> {
  const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port)
  const host = url.hostname.replaceAll(/^\[|\]$/gu, '')
  for (const began = Date.now(); Date.now() - began < READY_MS;) {
    if (await connects(host, port)) return
    await wait(POLL_MS)
  }
  throw new Inconclusive(`The gateway did not listen within ${READY_MS / 1000} s after the hook restart.`)
}

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host, timeout: 1_000 })
    const done = (isThere: boolean) => (): void => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('connect', done(true)).once('error', done(false)).once('timeout', done(false))
  })
}
