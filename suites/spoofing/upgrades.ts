import { Buffer } from 'node:buffer'
import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { GatewayRoute } from '../../harness/model/gateway-profile.ts'
import type { HeaderLines } from '../../harness/model/http.ts'
import { told } from './looks.ts'

/** A WebSocket handshake (RFC 6455 section 4.1). */
const WEBSOCKET: HeaderLines = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', Buffer.from('trustspec-bypass').toString('base64')],
]

/** An upgrade to HTTP/2 in clear text (RFC 7540 section 3.2, withdrawn by RFC 9113 but still served). */
const H2C: HeaderLines = [
  ['Connection', 'Upgrade, HTTP2-Settings'],
  ['Upgrade', 'h2c'],
  ['HTTP2-Settings', 'AAMAAABkAAQCAAAAAAIAAAAA'],
]

/** Asks to leave HTTP without a key, and judges that the connection stays where it is guarded. */
export async function upgradeWithoutKey(bench: GatewayBench): Promise<void> {
  const { profile, can, guard, judge, observes, forwards } = bench
  const [first] = profile.routes
  await forwards({}, 'a call with a valid key')
  const routes: GatewayRoute[] = [first]
  const { upgrade } = profile
  if (can('upgrade', 'a handshake with a valid key') && upgrade !== undefined) {
    const route: GatewayRoute = { path: upgrade, methods: ['GET'] }
    const query = willing(bench, 'websocket')
    const { answer } = await observes({ route, query, headers: WEBSOCKET }, 'WebSocket handshake with a valid key')
    guard(answer.status === 101, `A handshake with a valid key is answered with ${told(answer)}, not with 101.`)
    routes.push(route)
  }
  const sent: { readonly stimulus: string; readonly reached: () => number }[] = []
  for (const route of routes) {
    for (const [protocol, name, headers] of [
      ['websocket', 'WebSocket handshake', WEBSOCKET],
      ['h2c', 'upgrade to h2c', H2C],
    ] as const) {
      const stimulus = `${name} on ${route.path} without a key`
      const query = willing(bench, protocol)
      const { answer, arrivals } = await observes({ route, method: 'GET', query, key: null, headers }, stimulus)
      judge(answer.status !== 101 && answer.outcome !== 'accepted', {
        stimulus,
        expected: 'neither 101 nor an answer of the origin',
        observed: told(answer),
        failure: 'fail-open',
      })
      sent.push({ stimulus, reached: () => arrivals().length })
    }
  }
  await forwards({}, 'a call with a valid key afterwards')
  for (const { stimulus, reached } of can('capture', 'that no handshake reaches the origin') ? sent : []) {
    const count = reached()
    judge(count === 0, {
      stimulus,
      expected: 'not forwarded',
      observed: `it reached the origin ${count} times`,
      failure: 'fail-open',
    })
  }
}

/** Makes the origin upgrade a call that has this query, where there is one to be told. */
function willing(bench: GatewayBench, upgrade: 'websocket' | 'h2c'): string {
  const { nonce } = bench.track()
  if (bench.can('capture', 'an origin that upgrades')) bench.capture.answer({ upgrade }, { nonce })
  return `upgrade=${nonce}`
}
