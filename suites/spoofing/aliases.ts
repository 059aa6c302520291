import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import { look, told } from './looks.ts'

/** Spellings that an origin may read as the name: environments and frameworks fold these characters. */
function aliasesOf(name: string): readonly string[] {
  const dashes = [...name.matchAll(/-/gu)].map(({ index }) => index)
  const each = dashes.length > 1 ? dashes.map((at) => `${name.slice(0, at)}_${name.slice(at + 1)}`) : []
  return dashes.length === 0 ? [] : [name.replaceAll('-', '_'), name.replaceAll('-', '.'), ...each]
}

/** Sends what the gateway sets for origins under names that only look like it. */
export async function spoofAliases(bench: GatewayBench): Promise<void> {
  const { profile, nonce, search, judge, notProven, forwards, observes } = bench
  await forwards({}, 'a call with a valid key')
  const names = [profile.token.header, ...(profile.identityHeaders ?? [])]
  const aliases = [...new Set(names.flatMap(aliasesOf))]
  if (aliases.length === 0) {
    notProven(
      'names with _ and . in place of -',
      'no header that the gateway sets has a dash in its name',
      '"identityHeaders" in the profile',
    )
  }
  for (const alias of aliases) {
    const value = `forged-${nonce()}`
    const reached = await look(bench, [`${alias} beside a valid key`, { headers: [[alias, value]] }])
    const places = await search(reached, { name: 'forged header', value })
    judge(places.length === 0, {
      stimulus: `${alias} beside a valid key`,
      expected: 'nothing of it at the origin',
      observed: places.map(({ part, name }) => `${part} ${name}`).join(', '),
      failure: 'fail-open',
    })
  }
  for (const name of new Set(names)) {
    const value = `forged-${nonce()}`
    const stimulus = `${name} with a space before its colon`
    // Such a line goes on the wire as it is where the connection is the caller's own to close.
    const headers = [[`${name} `, value] as const, ['Connection', 'close'] as const]
    const { answer, arrivals } = await observes({ headers }, stimulus)
    judge(answer.status === 400, { stimulus, expected: 'status 400', observed: told(answer) })
    const places = await search(arrivals(), { name: 'forged header', value })
    judge(places.length === 0, {
      stimulus,
      expected: 'nothing of it at the origin',
      observed: places.map(({ part, name: where }) => `${part} ${where}`).join(', '),
      failure: 'fail-open',
    })
  }
}
