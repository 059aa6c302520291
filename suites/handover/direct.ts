import type { ConformanceCase } from '../../harness/model/case.ts'
import type { ChainBench, Crossing, Direct } from '../../harness/model/chain-bench.ts'
import type { HeaderLines } from '../../harness/model/http.ts'
import { identityHeaders, PLACES } from '../bypass/variants.ts'

/** A request past the gateway, with the name that reports give it. */
type Past = readonly [name: string, request: Direct]

/** What tells the way of a request. Nothing else of what a gateway sends is sent again: it may be a secret of theirs. */
const OF_THE_WAY = /^(?:forwarded|x-forwarded-.+|x-real-ip|true-client-ip|via)$/iu

/** The header lines in which the gateway told the origin who calls, and from where. */
function told({ origin, gateway }: ChainBench, { tapped }: Crossing): HeaderLines {
  const declared = [...(gateway.identityHeaders ?? []), ...(origin.identityHeaders ?? [])]
  const names = new Set(declared.map((name) => name.toLowerCase()))
  const lines = tapped()[0]?.headers ?? []
  return lines.filter(([name]) => names.has(name.toLowerCase()) || OF_THE_WAY.test(name))
}

/** What claims an identity or a trusted place without a token: each header alone, and all of them. */
function spoofed({ gateway, origin, keys }: ChainBench): readonly Past[] {
  const declared = [...(gateway.identityHeaders ?? []), ...(origin.identityHeaders ?? [])]
  const subject = keys[0]?.subject ?? keys[0]?.consumer ?? 'consumer'
  const lines = [...identityHeaders({ identityHeaders: declared }, subject), ...PLACES].filter(
    ([name]) => name !== 'Host',
  )
  return [
    ...lines.map(([name, value]): Past => [`no token, ${name}`, { headers: [[name, value]] }]),
    ['no token, all of these at once', { headers: lines }],
  ]
}

/** Another Host without a token: it may well be the name of nothing, but not of what is protected. */
async function otherHost({ direct, judge }: ChainBench): Promise<void> {
  const stimulus = 'no token, Host: localhost'
  const { outcome, status } = await direct({ headers: [['Host', 'localhost']] }, stimulus)
  const isServed = outcome === 'accepted' || (status >= 200 && status < 300)
  judge(!isServed, { stimulus, expected: 'not served', observed: `status ${status}`, failure: 'fail-open' })
}

/** The API key of a caller in every place where the gateway takes one. */
function keyed({ gateway, keys: [key] }: ChainBench): readonly Past[] {
  if (!key) return []
  return gateway.keyLocations.flatMap(({ in: kind, name, scheme }): readonly Past[] => {
    const stimulus = `the API key in the ${kind} ${name}`
    if (kind === 'header') return [[stimulus, { headers: [[name, scheme ? `${scheme} ${key.key}` : key.key]] }]]
    if (kind === 'query') return [[stimulus, { query: `${name}=${encodeURIComponent(key.key)}` }]]
    return kind === 'cookie' ? [[stimulus, { headers: [['Cookie', `${name}=${key.key}`]] }]] : []
  })
}

/** Every further protected route of the origin without a token, where a captured token shows that it is there. */
async function otherRoutes(bench: ChainBench, token: string | undefined): Promise<void> {
  const { origin, direct, refuses, notProven, can } = bench
  for (const route of origin.routes.slice(1)) {
    if (route.once === true || route.operation !== undefined) continue
    const stimulus = `${route.methods[0]} ${route.path} without a token`
    if (!can('tap', stimulus) || token === undefined) continue
    const control = await direct({ token, route }, `${route.methods[0]} ${route.path} with a captured token`)
    if (control.outcome === 'accepted') await refuses({ route }, stimulus)
    else notProven(stimulus, 'a captured token is not accepted there', 'a route that takes the tokens of the gateway')
  }
}

/** Cases about the way past the gateway. */
export const directCases: readonly ConformanceCase<'chain'>[] = [
  {
    id: 'direct-to-origin',
    title: 'refuses whoever goes past the gateway without a gateway token',
    level: 'MUST',
    clause: ['owasp/api2'],
    needs: ['key', 'origin-url'],
    rationale: 'Keys, limits and revocation are all at the gateway: who gets past it has none of them in the way.',
    remedy: 'Guard every route of the origin by the gateway token, and let its network take the gateway alone.',
    async run(bench) {
      const { unreachable, records, judge, accepts, refuses, tokenOf } = bench
      const crossing = await accepts({}, 'a call through the gateway')
      if (unreachable !== undefined) {
        records('past the gateway', `the network refuses (${unreachable})`)
        judge(true, { stimulus: 'any request past the gateway', expected: 'refused', observed: unreachable })
        return
      }
      await refuses({}, 'no token')
      const lines = told(bench, crossing)
      if (lines.length > 0) await refuses({ headers: lines }, 'who calls, as the gateway tells it, but no token')
      for (const [name, request] of [...spoofed(bench), ...keyed(bench)]) await refuses(request, name)
      await otherHost(bench)
      await otherRoutes(bench, tokenOf(crossing)?.compact)
    },
  },
]
