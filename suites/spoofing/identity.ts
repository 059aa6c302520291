import type { Arrival } from '../../harness/model/capture.ts'
import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { ApiKey } from '../../harness/model/gateway-profile.ts'
import { captured, look } from './looks.ts'

/** Names a consumer in every identity header, alone and all at once, and judges that the origin is not told so. */
export async function spoofIdentity(bench: GatewayBench, key: ApiKey, who: string): Promise<void> {
  const { profile, keys, nonce } = bench
  const { identityHeaders: names = [] } = profile
  const own = await captured(bench, { key }, `key ${who}, without identity headers`)
  const decoy = `forged-${nonce()}`
  for (const name of names) {
    const other = keys.find(({ consumer }) => consumer !== key.consumer)
    const theirs = other && attributeOf(other, name)
    const isTelling = theirs !== undefined && !own.header(name).includes(theirs)
    for (const [what, value] of [
      ['a made-up value', decoy] as const,
      ...(isTelling ? [['another consumer', theirs] as const] : []),
    ]) {
      const stimulus = `key ${who}, ${name} with ${what}`
      const reached = await look(bench, [stimulus, { key, headers: [[name, value]] }])
      await judgeIdentity(bench, { reached, own, key, names: [name], forged: value, stimulus })
    }
  }
  const stimulus = `key ${who}, all identity headers twice`
  const headers = names.flatMap((name) => [[name, decoy] as const, [name.toLowerCase(), decoy] as const])
  const reached = await look(bench, [stimulus, { key, headers }])
  await judgeIdentity(bench, { reached, own, key, names, forged: decoy, stimulus })
}

interface Spoofed {
  readonly reached: readonly Arrival[]
  /** The same call without anything forged. */
  readonly own: Arrival
  readonly key: ApiKey
  readonly names: readonly string[]
  readonly forged: string
  readonly stimulus: string
}

async function judgeIdentity({ judge, search }: GatewayBench, spoofed: Spoofed): Promise<void> {
  const { reached, own, key, names, forged, stimulus } = spoofed
  for (const arrival of reached) {
    for (const name of names) {
      const values = arrival.header(name)
      judge(!values.some((value) => value.split(/\s*,\s*/u).includes(forged)), {
        stimulus,
        expected: `${name} of the caller, or none`,
        observed: 'the value that the caller forged',
        failure: 'fail-open',
      })
      const due = attributeOf(key, name)
      const told = values.join(', ')
      judge(key.identity === undefined || values.length === 0 || told === due || told === own.header(name).join(', '), {
        stimulus,
        expected: due === undefined ? `no ${name}, for the consumer has none` : `${name} as declared of the consumer`,
        observed: `${values.length} lines, not all of them so`,
        failure: 'fail-open',
      })
    }
  }
  if (!forged.startsWith('forged-')) return
  const places = await search(reached, { name: 'forged identity', value: forged })
  judge(places.length === 0, {
    stimulus,
    expected: 'the forged value nowhere in the request at the origin',
    observed: places.map(({ part, name }) => `${part} ${name}`).join(', '),
    failure: 'fail-open',
  })
}

/** What a header is declared to say of the consumer; names compare without regard to case. */
function attributeOf({ identity = {} }: ApiKey, name: string): string | undefined {
  return Object.entries(identity).find(([other]) => other.toLowerCase() === name.toLowerCase())?.[1]
}

/** A key of a consumer that lacks the attribute of an identity header; undefined where there is none to be had. */
export async function keyWithoutAttribute(bench: GatewayBench): Promise<ApiKey | undefined> {
  const { profile, keys, can, freshKey } = bench
  const { identityHeaders: names = [] } = profile
  const declared = keys.find((key) => key.identity && names.some((name) => attributeOf(key, name) === undefined))
  if (declared) return declared
  return can('issue-key', 'a consumer that lacks the attribute') ? await freshKey({ plain: true }) : undefined
}
