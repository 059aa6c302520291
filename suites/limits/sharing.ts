import { NotApplicable } from '../../harness/model/errors.ts'
import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import { exhaust, freshLimits, staysThrottled } from './limits.ts'
import { quotaKey, useUp } from './quota.ts'

/** What is used up at one instance is used up at the others, and a quota after a restart. */
export async function usesAreShared(bench: GatewayBench): Promise<void> {
  const { limits, quota } = bench.profile
  // Where anything is declared, the rest is not: it would be judged by a level that is not its own.
  const isDeclared = limits.some(({ distributed }) => distributed === true) || quota?.persistent === true
  const overInstances = await sharedByInstances(bench, isDeclared)
  const overRestart = await keptOverRestart(bench, isDeclared)
  if (!overInstances && !overRestart) throw new NotApplicable('What is counted is declared to be of one instance.')
}

async function sharedByInstances(bench: GatewayBench, isDeclared: boolean): Promise<boolean> {
  const { profile, can, freshKey, forwards } = bench
  const isDue = ({ distributed }: (typeof profile.limits)[number]): boolean =>
    isDeclared ? distributed === true : distributed !== false
  if (!profile.limits.some(isDue) || !can('instances', 'an exhausted limit at another instance')) return false
  for (let instance = 1; instance <= (profile.instances?.length ?? 0); instance += 1) {
    for (const fresh of (await freshLimits(bench)).filter(({ limit }) => isDue(limit))) {
      const { limit, name } = fresh
      await exhaust(bench, fresh)
      const stimulus = `${name} at instance ${instance + 1}`
      await staysThrottled(bench, fresh, stimulus, { instance })
      if (limit.scope !== 'key' && limit.scope !== 'consumer') continue
      await forwards({ route: limit.route, key: await freshKey(), instance }, `${stimulus}, another key`)
    }
  }
  return true
}

async function keptOverRestart(bench: GatewayBench, isDeclared: boolean): Promise<boolean> {
  const { profile, can, hooks, freshKey, observes, forwards, judge, guard } = bench
  const { quota } = profile
  if (!quota || quota.persistent === false || (isDeclared && quota.persistent !== true)) return false
  const stimulus = 'a used quota after a restart'
  if (!can('restart', stimulus) || !can('clock', stimulus)) return false
  const { route, requests, status = 429 } = quota
  const key = await quotaKey(bench, quota)
  guard((await useUp(bench, quota, key)) === requests, 'The quota does not hold before the restart.')
  await hooks.restart()
  const { answer } = await observes({ route, key }, stimulus)
  guard(
    answer.outcome === 'accepted' || answer.status === status,
    `After the restart the key is answered with ${answer.status}, so that nothing follows for its quota.`,
  )
  judge(answer.outcome !== 'accepted', {
    stimulus,
    expected: 'still refused',
    observed: 'let through',
    failure: 'fail-open',
  })
  await forwards({ route, key: await freshKey() }, 'another key after the restart')
  return true
}
