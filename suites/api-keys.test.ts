import { describe, expect, test } from 'vitest'
import { normalPath } from '../harness/bench/gateway-session.ts'
import { makeKeyText } from '../harness/gateway/keys/format.ts'
import type { Arrival } from '../harness/model/capture.ts'
import type { GatewayBench } from '../harness/model/gateway-bench.ts'
import { anatomyOf, madeUpLike, replacedAt, withWrongChecksum } from './api-keys/anatomy.ts'
import { seenIn } from './api-keys/entropy.ts'
import { pathVariants } from './api-keys/paths.ts'
import { brokenUp, encoded, folded, nearMisses } from './api-keys/variants.ts'
import { judgeLocation } from './leakage/locations.ts'

const OURS = makeKeyText('tsk')
const UUID = 'a50e8400-e29b-41d4-a716-446655440000'
const STRIPE = 'sk_live_51HqLyjWDarjtT1zdp7dcQ3pVb2m'
const PLAIN = 'Zr8vQ2mT5xN1cK7jB4wL9pD3'
const ALL = [OURS, UUID, STRIPE, PLAIN]

const random = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 89 + 41) % 256)

test.each([...ALL, 'Zr8vQ2mT5xN1aAbBcCdD4wL9', 'tsk_aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpP_0aAbBc'])(
  'a near miss of key %# differs in more than case',
  (key) => {
    expect(nearMisses(key).map(([, value]) => value.toLowerCase())).not.toContain(key.toLowerCase())
  },
)

describe.each(ALL)('a key of the form of %#', (key) => {
  test('is made up in the same form', () => {
    const made = madeUpLike(key, random)

    expect(made).not.toBe(key)
    expect(made).toHaveLength(key.length)
    expect(made.startsWith(anatomyOf(key).prefix)).toBe(true)
    expect(made.replaceAll(/[0-9a-zA-Z]/gu, 'x')).toBe(key.replaceAll(/[0-9a-zA-Z]/gu, 'x'))
    expect(anatomyOf(made).checksum === undefined).toBe(anatomyOf(key).checksum === undefined)
  })

  test('is never sent as it is, nor in a name', () => {
    const variants = [...nearMisses(key), ...folded(key), ...brokenUp(key, 'X: 1'), ...encoded(key, 'X: 1')]

    expect(variants.map(([, value]) => value)).not.toContain(key)
    expect(new Set(variants.map(([name]) => name)).size).toBe(variants.length)
    for (const [name] of variants) expect(name).not.toContain(key.slice(-8))
  })

  test('is no key again once control octets are replaced and spaces trimmed', () => {
    for (const [, value] of brokenUp(key, 'X: 1')) {
      // eslint-disable-next-line no-control-regex -- what RFC 9110 section 5.5 says of them
      expect(value.replaceAll(/[\0\r\n]/gu, ' ').trim()).not.toBe(key)
      // A lenient reader ends a line at a bare LF.
      expect(value.split('\n')[0]?.trim()).not.toBe(key)
    }
  })

  test('differs in bits that count, also where its last character is changed', () => {
    const changed = replacedAt(key, key.length - 1)

    expect(Buffer.from(changed, 'base64url').equals(Buffer.from(key, 'base64url'))).toBe(false)
  })
})

test('a checksum is seen where there is one', () => {
  expect(ALL.map((key) => anatomyOf(key).checksum !== undefined)).toEqual([true, false, false, false])
  expect(anatomyOf(withWrongChecksum(OURS) ?? '').checksum).toBeUndefined()
  // The checksum of GitHub's tokens is that of the random part alone.
  expect(ALL.map((key) => anatomyOf(key).prefix)).toEqual(['tsk_', '', 'sk_live_', ''])
})

test('chance is counted where keys differ, by the characters that occur', () => {
  const format = { pattern: '^tsk_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$' }
  const ours = seenIn(
    Array.from({ length: 20 }, () => makeKeyText('tsk')),
    format,
  )
  const short = seenIn(
    Array.from({ length: 20 }, (_, at) => `tsk_${(at * 0x1234567).toString(16).padStart(32, '0')}`),
    format,
  )

  expect(ours).toEqual({ misfits: 0, distinct: 20, bits: 190, checked: 20 })
  expect(short).toMatchObject({ misfits: 20, distinct: 20, checked: 0 })
  expect(short.bits).toBeLessThanOrEqual(32)
})

test('no spelling of a path is the path itself, and some are the same for RFC 3986', () => {
  const open = [{ path: '/public', methods: ['GET'] as const }]
  const targets = pathVariants({ path: '/v1/orders', methods: ['GET'] }, open).map(([, { target = '' }]) => target)

  expect(new Set(targets).size).toBe(targets.length)
  expect(targets).not.toContain('/v1/orders')
  const same = targets.filter((target) => normalPath(target) === '/v1/orders')
  expect(same).toEqual(expect.arrayContaining(['/x/%2e%2e/v1/orders', '/v1/%6frders', '/public/../v1/orders']))
  expect(same).not.toContain('/v1/orders/.')
})

describe('a key in a form between other fields', () => {
  const location = { in: 'body', name: 'key' } as const

  async function judged(change: (body: string) => string): Promise<readonly boolean[]> {
    const results: boolean[] = []
    const bench: Partial<GatewayBench> = {
      keys: [{ key: OURS, consumer: 'one' }],
      profile: {
        keyLocations: [location],
        routes: [{ path: '/orders', methods: ['GET', 'POST'] }],
        publicRoutes: [],
        keys: [],
        token: { header: 'Authorization', scheme: 'Bearer' },
        limits: [],
        keyPropagationSec: 0,
      },
      guard: (holds, otherwise) => {
        if (!holds) throw new Error(otherwise)
      },
      judge: (holds) => {
        results.push(holds)
      },
      search: (arrivals) =>
        Promise.resolve(
          arrivals.flatMap(({ body }) =>
            Buffer.from(body.octets).includes(OURS)
              ? [
                  {
                    secret: 'key',
                    part: 'body',
                    name: '',
                    encodings: [],
                    what: 'value',
                    reversed: false,
                    folded: false,
                  },
                ]
              : [],
          ),
        ),
      forwards: ({ body = `key=${OURS}` }) => {
        const octets = Buffer.from(change(String(body)))
        const arrival = { body: { octets } } as unknown as Arrival
        return Promise.resolve({ nonce: '', answer: {} as never, arrivals: () => [arrival] })
      },
    }
    await judgeLocation(bench as GatewayBench, location)
    return results
  }

  const without = (body: string): string =>
    body
      .split('&')
      .filter((pair) => !pair.includes(OURS))
      .join('&')

  test.each([
    ['is taken out', without, [true, true, true]],
    ['is left in', (body: string) => body, [false, false, false]],
    [
      'is taken out, and the rest sorted',
      (body: string) => without(body).split('&').toSorted().join('&'),
      [true, true, false],
    ],
    ['takes all with it', () => '', [true, true, false]],
  ])('%s', async (_, change, expected) => {
    expect(await judged(change)).toEqual(expected)
  })
})
