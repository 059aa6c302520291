import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { ApiKey } from '../../harness/model/gateway-profile.ts'
import type { Answer } from '../../harness/model/http.ts'
import { replacedAt, withWrongChecksum } from './anatomy.ts'
import { mainKey, unknownKey } from './calls.ts'
import { propagated, wished } from './lifecycle.ts'
import type { Variant } from './variants.ts'

/** What differs between answers that say the same: ids, times, numbers. */
const PASSING =
  /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT|\b[0-9A-Za-z_-]*\d[0-9A-Za-z_-]{7,}\b|\d+/gu

/** Status and body of a refusal, without what differs between any two. */
function saidBy({ status, body }: Answer): string {
  return `${status} ${body.replaceAll(PASSING, '#')}`
}

/** Keys that must be refused, each for another reason, and none of which may be told apart. */
async function refusedKeys(bench: GatewayBench): Promise<readonly Variant[]> {
  const { profile, freshKey, hooks, can } = bench
  const unknown = unknownKey(bench)
  // Where keys have no checksum, a wrong form stands for a wrong checksum.
  const wrong = withWrongChecksum(unknown) ?? replacedAt(unknown.slice(0, -1), unknown.length - 2)
  const made: Variant[] = [
    ['an unknown key', unknown],
    ['a key with a wrong checksum', wrong],
  ]
  const declared = (name: string, keys: readonly ApiKey[] | undefined): void => {
    const [key] = keys ?? []
    if (key) made.push([name, key.key])
  }
  declared('a revoked key', profile.revokedKeys)
  declared('a disabled key', profile.disabledKeys)
  declared('an expired key', profile.expiredKeys)
  const changed = async (name: string, key: ApiKey): Promise<void> => {
    if ((await propagated(bench, key, name)) !== undefined) made.push([name, key.key])
  }
  if (!profile.disabledKeys?.length && can('issue-key', 'a disabled key')) {
    const key = await wished(bench, { disabled: true }, 'a disabled key')
    if (key) await changed('a disabled key', key)
  }
  if (!profile.revokedKeys?.length && can('fresh-keys', 'a revoked key') && can('revoke-key', 'a revoked key')) {
    const key = await freshKey()
    await hooks.revokeKey(key)
    await changed('a revoked key', key)
  }
  return made
}

/** Judges that refusals tell nothing: which key it was, what is wrong with it. */
export async function judgeRejections(bench: GatewayBench): Promise<void> {
  const { observes, judge, searchText, allAnswers, keys, profile, guard } = bench
  const answers: (readonly [name: string, key: string, answer: Answer])[] = []
  for (const [name, key] of await refusedKeys(bench)) {
    const { answer } = await observes({ key }, name)
    answers.push([name, key, answer])
  }
  const [first, ...others] = answers
  const refused = answers.filter(([, , { outcome }]) => outcome !== 'accepted')
  guard(refused.length >= 2 && first !== undefined, 'Fewer than two of these keys were refused.')
  for (const [name, , answer] of others) {
    judge(first === undefined || saidBy(answer) === saidBy(first[2]), {
      stimulus: name,
      expected: 'status and body as for an unknown key',
      observed:
        answer.status === first?.[2].status
          ? 'another body'
          : `status ${answer.status}, and ${first?.[2].status} for an unknown key`,
    })
  }
  const sample = `{"detail":"The key ${mainKey(bench).key} was revoked"}`
  const planted = await searchText(sample, { name: 'planted', value: mainKey(bench).key })
  guard(planted.length > 0, 'The search does not find a key in a sample of a refusal.')
  for (const [name, key, answer] of answers) await judgeEcho(bench, name, textOf(answer), [key])
  // The main key was also sent in places that are not declared: whoever repeats a URL to its sender tells nothing.
  const known = [...keys.slice(1), ...(profile.revokedKeys ?? []), ...(profile.disabledKeys ?? [])].map(
    ({ key }) => key,
  )
  const texts = new Map<string, string>()
  for (const { caseId, stimulus, answer } of allAnswers()) {
    if (answer.status >= 400 && answer.status < 500) texts.set(textOf(answer), `${stimulus} (${caseId})`)
  }
  const all = [...texts.keys()].join('\n')
  // Together first: only where something is found is it worth asking in which.
  if ((await echoed(bench, all, known)).length === 0) {
    judge(true, { stimulus: 'all refusals of the run', expected: '', observed: '' })
    return
  }
  for (const [text, name] of texts) await judgeEcho(bench, name, text, known)
}

function textOf({ headers, body }: Answer): string {
  return [...headers.map(([name, value]) => `${name}: ${value}`), body].join('\n')
}

/** Kinds of things of the keys that the text gives away; digests do not. */
async function echoed({ searchText }: GatewayBench, text: string, keys: readonly string[]) {
  const places = await searchText(text, ...keys.map((value, at) => ({ name: `key ${at + 1}`, value })))
  return places.filter(({ what }) => what === 'value' || what === 'slice')
}

async function judgeEcho(bench: GatewayBench, stimulus: string, text: string, keys: readonly string[]): Promise<void> {
  const places = await echoed(bench, text, keys)
  bench.judge(places.length === 0, {
    stimulus,
    expected: 'nothing of the key in the refusal',
    observed: places.some(({ what }) => what === 'value') ? 'the key that was sent' : 'a part of the key',
    failure: 'fail-open',
  })
}
