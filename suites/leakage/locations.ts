import type { Arrival } from '../../harness/model/capture.ts'
import type { Call, GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { KeyLocation } from '../../harness/model/gateway-profile.ts'
import { bodyCall, locationsIn, mainKey, placeOf } from '../api-keys/calls.ts'
import { givesAway, keySecret, placesText } from './secrets.ts'

type Pairs = readonly (readonly [name: string, value: string])[]

/** What stands around a key in its location: each name twice, so that none may be dropped or moved. */
const BEFORE: Pairs = [
  ['a', '1'],
  ['b', 'x y/ü'],
]
const BEHIND: Pairs = [
  ['a', '2'],
  ['c', ''],
  ['b', '+&='],
]

/** A key in its location between other things, and how to read those off at the origin. */
interface Placed {
  readonly call: Call
  readonly read: (arrival: Arrival) => Pairs
}

/** Judges that a key reaches the origin in no place that is not a token, and that what stood around it does. */
export async function judgeLocation(bench: GatewayBench, location: KeyLocation): Promise<void> {
  const { forwards, judge, search } = bench
  const { key } = mainKey(bench)
  const alone: Call = { location, ...bodyCall(bench, location.in) }
  const { call, read } = placedIn(location, key)
  const around: Call = { key: null, ...bodyCall(bench, location.in), ...call }
  for (const [how, sent] of [
    ['alone', alone],
    ...(location.in === 'header' ? [] : [['between others', around] as const]),
  ] as const) {
    const stimulus = `a valid key ${placeOf(location)}, ${how}`
    const { arrivals } = await forwards(sent, stimulus)
    const reached = arrivals()
    const places = (await search(reached, keySecret(key, 'key'))).filter(
      (place) => givesAway(place) && place.part !== 'token',
    )
    judge(places.length === 0, {
      stimulus,
      expected: 'no key at the origin',
      observed: `the key ${placesText(places)}`,
      failure: 'fail-open',
    })
    if (sent !== around) continue
    for (const arrival of reached) {
      judge(sameText(read(arrival)) === sameText([...BEFORE, ...BEHIND]), {
        stimulus,
        expected: 'everything else as it was, in its order',
        observed: 'something of it is missing, changed or moved',
      })
    }
  }
}

/** The declared locations of these kinds, each judged. */
export async function judgeLocations(bench: GatewayBench, ...kinds: readonly KeyLocation['in'][]): Promise<void> {
  for (const location of locationsIn(bench.profile, ...kinds)) await judgeLocation(bench, location)
}

function sameText(pairs: Pairs): string {
  return JSON.stringify(pairs)
}

function placedIn(location: KeyLocation, key: string): Placed {
  const { in: kind, name } = location
  const form = (pairs: Pairs): string => new URLSearchParams(pairs as [string, string][]).toString()
  const pair = [name, key] as const
  if (kind === 'cookie') {
    const plain = (pairs: Pairs): string =>
      pairs.map(([one, value]) => `${one}=${encodeURIComponent(value)}`).join('; ')
    return {
      call: { headers: [['Cookie', plain([...BEFORE, pair, ...BEHIND])]] },
      read: (arrival) =>
        arrival
          .header('cookie')
          .flatMap((line) => line.split(/;\s*/u))
          .filter((one) => one !== '')
          .map((one) => [one.split('=')[0] ?? '', decodeURIComponent(one.slice(one.indexOf('=') + 1))]),
    }
  }
  if (kind === 'body') {
    return {
      call: { body: form([...BEFORE, pair, ...BEHIND]), contentType: 'application/x-www-form-urlencoded' },
      read: (arrival) => pairsOf(Buffer.from(arrival.body.octets).toString()),
    }
  }
  return {
    call: { query: form([...BEFORE, pair, ...BEHIND]) },
    read: ({ target }) =>
      pairsOf(target.slice(target.indexOf('?') + 1)).filter(([one]) =>
        [...BEFORE, ...BEHIND].some(([other]) => other === one),
      ),
  }
}

/** Decoded: that what is encoded otherwise means the same is not judged here. */
function pairsOf(text: string): Pairs {
  return [...new URLSearchParams(text)]
}
