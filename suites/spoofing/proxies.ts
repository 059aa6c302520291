import type { Arrival } from '../../harness/model/capture.ts'
import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { ApiKey } from '../../harness/model/gateway-profile.ts'
import type { HeaderLines } from '../../harness/model/http.ts'
import { captured, look, pathOf } from './looks.ts'

/** An address that nobody has (RFC 5737). */
const FORGED = '203.0.113.7'

const ADDRESSES: HeaderLines = [
  ['X-Forwarded-For', FORGED],
  ['Forwarded', `for=${FORGED};proto=https`],
  ['X-Real-IP', FORGED],
]

/** Says where a call came from, and judges what the origin is told by the declared policy. */
export async function spoofAddress(bench: GatewayBench): Promise<void> {
  const { profile, judge, records, notProven } = bench
  const { forwardedPolicy: policy } = profile
  if (policy === undefined) {
    notProven(
      'X-Forwarded-For, Forwarded and X-Real-IP of the caller',
      'needs a declared policy for them',
      '"forwardedPolicy" in the profile',
    )
  }
  for (const [name, value] of ADDRESSES) {
    const stimulus = `${name} of the caller`
    for (const arrival of await look(bench, [stimulus, { headers: [[name, value]] }])) {
      const entries = arrival.header(name).flatMap((line) => line.split(/\s*,\s*/u))
      records(
        `${name} at the origin`,
        entries.some((entry) => entry.includes(FORGED))
          ? 'with the forged address'
          : entries.length === 0
            ? 'none'
            : 'of the gateway',
      )
      if (policy === undefined) continue
      const isForged = (policy === 'append' ? entries.slice(-1) : entries).some((entry) => entry.includes(FORGED))
      judge(!isForged && (policy !== 'remove' || entries.length === 0), {
        stimulus,
        expected: {
          append: 'the address of the peer as its last entry, or none',
          replace: 'no forged address',
          remove: `no ${name}, as declared`,
        }[policy],
        observed: isForged ? 'the forged address' : `${name} with ${entries.length} entries`,
        failure: 'fail-open',
      })
    }
  }
}

/** Headers by which some servers take another path or method than the one of the request. */
function rewriting(path: string, method: string): HeaderLines {
  return [
    ['X-Original-URL', path],
    ['X-Rewrite-URL', path],
    ['X-HTTP-Method-Override', method],
    ['X-HTTP-Method', method],
    ['X-Method-Override', method],
  ]
}

/** Names another path and method in headers, and judges that neither counts, for the route or for who may use it. */
export async function rewriteByHeaders(bench: GatewayBench): Promise<void> {
  const { profile, can, refuses } = bench
  const [route, other] = profile.routes
  const { entitlement } = profile
  const elsewhere = entitlement?.route.path ?? other?.path ?? '/elsewhere'
  const own = await captured(bench, {}, 'a call with a valid key')
  for (const [name, value] of rewriting(elsewhere, 'DELETE')) {
    const stimulus = `${name} that names another route or method`
    judgePlace(bench, await look(bench, [stimulus, { headers: [[name, value]] }]), own, stimulus)
  }
  if (!can('entitlement', 'headers that name a route that the key may not use') || !entitlement) return
  const key = await unentitledKey(bench)
  for (const [name, value] of rewriting(elsewhere, 'DELETE').slice(0, 2)) {
    const stimulus = `${name} that names a route which the key may not use`
    judgePlace(bench, await look(bench, [stimulus, { key, headers: [[name, value]] }]), own, stimulus)
  }
  for (const [name, value] of rewriting(route.path, route.methods[0])) {
    const call = { key, route: entitlement.route, headers: [[name, value] as const] }
    await refuses(call, `a route which the key may not use, ${name} that names one which it may`, 'any-4xx')
  }
}

function judgePlace({ judge }: GatewayBench, reached: readonly Arrival[], own: Arrival, stimulus: string): void {
  for (const arrival of reached) {
    judge(pathOf(arrival) === pathOf(own) && arrival.method === own.method, {
      stimulus,
      expected: 'the path and the method of the request at the origin',
      observed: 'another path or method',
      failure: 'fail-open',
    })
  }
}

async function unentitledKey({ profile, freshKey }: GatewayBench): Promise<ApiKey> {
  return profile.entitlement?.otherKeys?.[0] ?? (await freshKey({ unentitled: true }))
}
