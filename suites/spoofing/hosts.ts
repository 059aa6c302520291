import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { HeaderLines } from '../../harness/model/http.ts'
import type { Json } from '../../harness/model/json.ts'
import { plain, told } from './looks.ts'
import type { Forged } from './looks.ts'

const EVIL = 'evil.example.com'

const linesFor = (evil: string): readonly (readonly [name: string, lines: HeaderLines])[] => [
  ['Host', [['Host', evil]]],
  ['X-Forwarded-Host', [['X-Forwarded-Host', evil]]],
  [
    'X-Forwarded-Host and X-Forwarded-Proto',
    [
      ['X-Forwarded-Host', evil],
      ['X-Forwarded-Proto', 'https'],
    ],
  ],
  ['Forwarded', [['Forwarded', `host="${evil}";proto=https`]]],
]

/** Calls that name another host than the gateway's: one that nobody reaches, and one that the gateway could reach. */
function elsewhere({ profile, keys, host, secondCapture }: GatewayBench): readonly Forged[] {
  const [{ path }] = profile.routes
  const [at] = profile.keyLocations
  const query = at.in === 'query' ? `?${at.name}=${encodeURIComponent(keys[0]?.key ?? '')}` : ''
  const hosts = [
    ['somebody else', EVIL],
    ['another origin', secondCapture.url.replace(/^.*\/\//u, '')],
  ] as const
  return [
    ['X-Forwarded-Proto', { sameUrl: true, headers: [['X-Forwarded-Proto', 'gopher']] }],
    ...hosts.flatMap(([whose, evil]): readonly Forged[] => [
      // The same URL each time: an audience that is made of it has to stay the same.
      ...linesFor(evil).map(([name, headers]): Forged => [`${name} of ${whose}`, { sameUrl: true, headers }]),
      [`absolute form with the host of ${whose}`, { target: `http://${evil}${path}${query}` }],
      [
        `absolute form with the host of ${whose}, and a Host of the gateway`,
        { target: `http://${evil}${path}${query}`, headers: [['Host', host]] },
      ],
    ]),
  ]
}

/** Names another host, and judges that issuer, audience and origin stay what they were. */
export async function nameAnotherHost(bench: GatewayBench): Promise<void> {
  const { observes, judge, verify, records } = bench
  const own = await plain(bench, { sameUrl: true }, 'a call with a valid key')
  for (const [stimulus, call] of elsewhere(bench)) {
    const { answer, arrivals } = await observes(call, stimulus)
    const reached = arrivals()
    judge(answer.outcome !== 'accepted' || reached.length > 0, {
      stimulus,
      expected: 'refused, or forwarded to the origin of the route',
      observed: `${told(answer)}, and nothing reached the origin`,
      failure: 'fail-open',
    })
    for (const arrival of reached) {
      const { problems, claims } = await verify(arrival)
      const same = isSame(claims?.['iss'], own.issuer) && isSame(claims?.['aud'], own.audience)
      judge(problems.length === 0 && same && arrival.origin === own.arrival.origin, {
        stimulus,
        expected: 'the same origin, and a valid token with the same iss and aud',
        observed: [...problems.map(({ detail }) => detail), ...(same ? [] : ['another iss or aud'])].join('; '),
        failure: 'fail-open',
      })
    }
  }
  for (const [stimulus, hosts] of [
    ['two lines of Host, the second of somebody else', [bench.host, EVIL]],
    ['two lines of Host, the first of somebody else', [EVIL, bench.host]],
  ] as const) {
    const { answer, arrivals } = await observes({ headers: hosts.map((host) => ['Host', host] as const) }, stimulus)
    judge(answer.status === 400 && arrivals().length === 0, {
      stimulus,
      expected: 'status 400, and nothing at the origin',
      observed: `${told(answer)}, ${arrivals().length} requests at the origin`,
    })
  }
  // Against the letter of RFC 9112, but nobody is misled.
  const twice = [bench.host, bench.host].map((host) => ['Host', host] as const)
  const { answer } = await observes({ headers: twice }, 'two lines of Host that are the same')
  records('status of two lines of Host that are the same', answer.status)
}

/** Whether two claims hold the same; an audience of one is the same in a list of one. */
function isSame(one: Json | undefined, other: Json | undefined): boolean {
  const list = (value: Json | undefined): string => JSON.stringify(Array.isArray(value) ? value : [value ?? null])
  return list(one) === list(other)
}
