import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import { keySecret, knownKeys, signatureOf, tokensIn } from './secrets.ts'
import { madeUpLike } from '../api-keys/anatomy.ts'
import { bodyCall, mainKey, placeOf } from '../api-keys/calls.ts'

/** Judges that the log of the run holds no key and no token. */
export async function judgeLogs(bench: GatewayBench): Promise<void> {
  const { hooks, guard, judge, searchText, allArrivals, observes, random, records, keys, profile, can } = bench
  const main = mainKey(bench)
  // The main key was also sent in places that are not declared: a log of URLs is not to blame for that.
  const [, second] = keys
  const judged = knownKeys(bench).filter(({ value }) => value !== main.key)
  if (!second) can('second-consumer', 'that no API key is in the log')
  for (const location of second ? profile.keyLocations : []) {
    await observes(
      { key: second ?? main, location, ...bodyCall(bench, location.in) },
      `a valid key ${placeOf(location)}`,
    )
  }
  const planted = keySecret(madeUpLike(main.key, random), 'planted')
  const log = await hooks.logs()
  guard(log !== '', 'The log is empty.')
  const text = `${log}\n{"authorization":"Bearer ${planted.value}"}\n`
  const places = (await searchText(text, planted, ...judged)).filter(({ what }) => what === 'value')
  guard(
    places.some(({ secret }) => secret === 'planted'),
    'The search does not find a key that was planted in the log.',
  )
  const leaked = [...new Set(places.map(({ secret }) => secret))].filter((secret) => secret !== 'planted')
  const stimulus = 'the log of the run'
  if (judged.length > 0) {
    judge(leaked.length === 0, {
      stimulus,
      expected: 'no API key in it',
      observed: `${leaked.length} of the keys that were sent`,
      failure: 'fail-open',
    })
  }
  const tokens = new Set(
    allArrivals().flatMap(({ headers }) => headers.flatMap(([, value]) => tokensIn(value).map(signatureOf))),
  )
  guard(tokens.size > 0, 'No token reached an origin in the run.')
  records('octets of log', log.length)
  const shown = [...tokens].filter((signature) => log.includes(signature))
  judge(shown.length === 0, {
    stimulus,
    expected: 'no signature of a token in it',
    observed: `${shown.length} of ${tokens.size} signatures`,
    failure: 'fail-open',
  })
}
