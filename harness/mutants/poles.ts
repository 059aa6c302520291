import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { movableClock } from '../clock/clock.ts'
import { octets, segmentsOf } from '../model/compact.ts'
import { MARKER } from '../origin/answer.ts'
import { REFERENCE_PROFILE } from '../origin/profile.ts'
import type { Target } from '../targets/target.ts'

/** Targets that are nothing but one answer. */
export const POLES = ['refuses-all', 'accepts-all', 'believes-all', 'fails-all', 'hangs', 'dead'] as const

export type Pole = (typeof POLES)[number]

const ANSWERS: Readonly<Record<Exclude<Pole, 'dead'>, (request: IncomingMessage, response: ServerResponse) => void>> = {
  'refuses-all': (_, response) => {
    response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end('{}')
  },
  'accepts-all': (_, response) => {
    response.writeHead(200).end(JSON.stringify({ marker: MARKER }))
  },
  'believes-all': (request, response) => {
    response.writeHead(200).end(JSON.stringify({ marker: MARKER, sub: subjectOf(request.headers.authorization ?? '') }))
  },
  'fails-all': (_, response) => {
    response.writeHead(500).end('{}')
  },
  hangs: () => {
    // Nothing is ever answered.
  },
}

/** Starts a pole that declares what the reference origin declares. */
export async function startPole(pole: Pole): Promise<Target> {
  const server = http.createServer((request, response) => {
    request.resume()
    if (pole !== 'dead') ANSWERS[pole](request, response)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => {
      server.close(resolve)
    })
    server.closeAllConnections()
    await closed
  }
  if (pole === 'dead') await close()
  return {
    kind: 'embedded',
    url: `http://127.0.0.1:${port}/protected`,
    profile: REFERENCE_PROFILE,
    expected: [],
    clock: movableClock(),
    [Symbol.asyncDispose]: pole === 'dead' ? () => Promise.resolve() : close,
  }
}

/** The subject that a token claims, believed without a look at the signature. */
function subjectOf(authorization: string): unknown {
  try {
    const { payload } = segmentsOf(authorization.split(' ').at(-1) ?? '')
    return (JSON.parse(Buffer.from(octets(payload)).toString()) as { sub: unknown }).sub
  } catch {
    return 'anonymous'
  }
}
