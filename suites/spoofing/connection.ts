import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { HeaderLines } from '../../harness/model/http.ts'
import { captured, judgeToken, look, plain } from './looks.ts'
import { callAt } from './raw.ts'

/** Lists the headers of the gateway in Connection, so that a proxy that obeys late removes them. */
export async function stripByConnection(bench: GatewayBench): Promise<void> {
  const { profile, judge } = bench
  const { header } = profile.token
  const identity = profile.identityHeaders ?? []
  const all = [header, ...identity]
  const lists: readonly (readonly [name: string, lines: HeaderLines])[] = [
    [`Connection: close, ${header}`, [['Connection', `close, ${header}`]]],
    [`Connection: close, ${header.toLowerCase()}`, [['Connection', `close, ${header.toLowerCase()}`]]],
    [`Connection: keep-alive, ${all.join(', ')}`, [['Connection', `keep-alive, ${all.join(', ')}`]]],
    [
      `Connection lines: close; ${all.join('; ')}`,
      [['Connection', 'close'], ...all.map((name) => ['Connection', name] as const)],
    ],
  ]
  for (const location of profile.keyLocations) {
    const where = `key in the ${location.in} ${location.name}`
    const call = callAt(bench, location)
    if (!call) continue
    const own = await plain(bench, call, `${where}, no Connection of the caller`)
    for (const [name, headers] of lists) {
      const stimulus = `${where}, ${name}`
      for (const arrival of await look(bench, [stimulus, { ...call, headers }])) {
        await judgeToken(bench, arrival, own.subject, stimulus)
        for (const one of identity.filter((other) => own.arrival.header(other).length > 0)) {
          judge(arrival.header(one).length > 0, {
            stimulus,
            expected: `${one} at the origin, as without Connection`,
            observed: 'it is gone',
            failure: 'fail-open',
          })
        }
      }
    }
  }
}

/** Fields that are for one connection alone, whoever lists them. */
const OF_THE_HOP: HeaderLines = [
  ['Keep-Alive', 'timeout=5'],
  ['TE', 'trailers'],
  ['Proxy-Connection', 'keep-alive'],
  ['Proxy-Authorization', 'Basic dHJ1c3RzcGVjOnRydXN0c3BlYw=='],
]

/** Sends fields of the hop, and judges that those which Connection names go no further. */
export async function sendHopByHop(bench: GatewayBench): Promise<void> {
  const { judge, guard, records } = bench
  const hop = ['X-Hop', '1'] as const
  const ordinary = await captured(bench, { headers: [hop] }, 'X-Hop without Connection')
  guard(ordinary.header('X-Hop').length > 0, 'X-Hop is not forwarded without Connection either, so nothing shows.')
  const lists: readonly (readonly [name: string, lines: HeaderLines])[] = [
    ['Connection: X-Hop', [['Connection', 'X-Hop']]],
    ['Connection: close, x-hop', [['Connection', 'close, x-hop']]],
    [
      'Connection lines: keep-alive; X-Hop',
      [
        ['Connection', 'keep-alive'],
        ['Connection', 'X-Hop'],
      ],
    ],
    ['Connection: X-Hop, TE with other fields of the hop', [['Connection', 'X-Hop, TE'], ...OF_THE_HOP]],
  ]
  for (const [stimulus, lines] of lists) {
    for (const arrival of await look(bench, [stimulus, { headers: [...lines, hop] }])) {
      judge(arrival.header('X-Hop').length === 0, {
        stimulus,
        expected: 'no X-Hop at the origin',
        observed: 'X-Hop, as the caller sent it',
      })
      const options = arrival.header('Connection').flatMap((line) => line.toLowerCase().split(/[\s,]+/u))
      judge(!options.includes('x-hop'), {
        stimulus,
        expected: 'no Connection of the caller at the origin',
        observed: 'a Connection that names X-Hop',
      })
      for (const [name, value] of lines.length > OF_THE_HOP.length ? OF_THE_HOP : []) {
        records(`forwards ${name}`, arrival.header(name).includes(value))
      }
    }
  }
}
