import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { embeddedProfile } from '../../targets/embedded-gateway-profile.ts'
import { urlChain } from '../../targets/chain-target.ts'
import type { ChainTarget, ChainTargetSettings } from '../../targets/chain-target.ts'
import { MARKER } from '../../origin/answer.ts'
import { CHAINED_PROFILE } from '../../origin/profile.ts'

/** Chains that are nothing but one thing that they do. */
export const CHAIN_POLES = ['refuses-all', 'forwards-nowhere', 'answers-itself', 'hangs', 'dead'] as const

export type ChainPole = (typeof CHAIN_POLES)[number]

const KEYS = ['one', 'two'].map((name) => ({ key: `tsk_key-of-a-pole-that-was-made-up-${name}`, consumer: name }))

const ANSWERS: Readonly<Record<ChainPole, (request: IncomingMessage, response: ServerResponse) => void>> = {
  'refuses-all': (_, response) => {
    response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('{}')
  },
  'forwards-nowhere': (_, response) => {
    response.writeHead(502).end('{}')
  },
  'answers-itself': (_, response) => {
    response.writeHead(200).end(JSON.stringify({ marker: MARKER, sub: 'one' }))
  },
  hangs: () => {
    // Nothing is ever answered.
  },
  dead: () => {
    // It does not listen.
  },
}

/** Starts a pole in place of the gateway that declares what the embedded chain declares; there is no origin behind it. */
export async function startChainPole(pole: ChainPole, settings: ChainTargetSettings): Promise<ChainTarget> {
  const server = http.createServer((request, response) => {
    request.resume()
    ANSWERS[pole](request, response)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => {
      server.close(resolve)
    })
    server.closeAllConnections()
    await closed
  }
  if (pole === 'dead') await close()
  const { profile } = embeddedProfile({ capture: '', secondCapture: '', keyListUrl: '' })
  const chain = {
    url: `${base}/orders`,
    originUrl: `${base}/orders`,
    gateway: { ...profile(`${base}/__zuplo/issuer`), keys: KEYS },
    origin: CHAINED_PROFILE,
    tapped: true,
    proxied: true,
  }
  return {
    ...urlChain(chain, settings),
    [Symbol.asyncDispose]: pole === 'dead' ? () => Promise.resolve() : close,
  }
}
