import type { Redis } from 'ioredis'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { connectRedis } from '../redis.ts'
import { startRedis } from '../redis-server.testing.ts'
import { signingKey } from './ring.ts'
import type { RingTimes } from './ring.ts'
import { keepRing } from './ring-keeper.ts'
import { redisRing } from './ring-redis.ts'

const TIMES: RingTimes = { maxAgeSec: 300, longestLifetimeSec: 3_600, rotateEverySec: 86_400 }

const server = await startRedis('signing keys in Redis')

const stack = new AsyncDisposableStack()

afterAll(async () => {
  await stack.disposeAsync()
  await server?.[Symbol.asyncDispose]()
})

async function connect(url = server?.url ?? ''): Promise<Redis> {
  return stack.adopt(await connectRedis(url), (redis) => {
    redis.disconnect()
  })
}

/** An instance of a gateway, with connections of its own. */
async function instance(prefix: string, url?: string) {
  const [redis, listen] = [await connect(url), await connect(url)]
  const store = stack.use(redisRing(redis, listen, prefix))
  const clock = { nowMs: Date.now }
  const events: string[] = []
  const report = ({ event }: { readonly event: string }) => events.push(event)
  const keeper = stack.use(await keepRing({ algorithm: 'EdDSA', times: TIMES, clock, store, report }))
  const signing = (): string => signingKey(keeper.ring(), TIMES, Date.now())?.kid ?? ''
  return { ...keeper, redis, listen, store, events, signing }
}

async function until(holds: () => boolean): Promise<void> {
  await expect.poll(holds, { timeout: 5_000, interval: 5 }).toBe(true)
}

let prefix = ''
let tests = 0

beforeEach(() => {
  tests += 1
  prefix = `test-${tests}`
})

describe.runIf(server)('with Redis', () => {
  test('instances that start at once have the same keys', async () => {
    const instances = await Promise.all(Array.from({ length: 8 }, () => instance(prefix)))

    expect(new Set(instances.map(({ ring }) => JSON.stringify(ring()))).size).toBe(1)
  })

  test('changes that are made at once are all made', async () => {
    const [one, other] = [await instance(prefix), await instance(prefix)]
    const [first, waiting] = one.ring().keys.map(({ kid }) => kid)
    const found = await Promise.all([one.revoke(first ?? ''), other.revoke(waiting ?? ''), one.rotate()])
    await until(() => JSON.stringify(one.ring()) === JSON.stringify(other.ring()))

    expect(found.slice(0, 2)).toEqual([true, true])
    expect(new Set(one.ring().revoked)).toEqual(new Set([first, waiting]))
    expect(JSON.stringify(await one.store.read())).toBe(JSON.stringify(one.ring()))
  })

  test('however many instances ask for a rotation at once, it is one', async () => {
    const [one, other] = [await instance(prefix), await instance(prefix)]
    const begun = await Promise.all([one, other, one, other].map((some) => some.rotate()))

    expect(new Set(begun.map(({ kid }) => kid)).size).toBe(1)
    expect(one.ring().keys).toHaveLength(3)
  })

  test('a revocation at one instance is announced to the others', async () => {
    const [one, other] = [await instance(prefix), await instance(prefix)]
    const kid = other.signing()
    await one.revoke(kid)
    await until(() => other.signing() === one.signing())

    expect(other.generation()).toBe(1)
    expect(other.ring()).toEqual(one.ring())
  })

  test('a change is found even if its announcement is lost', async () => {
    const [one, other] = [await instance(prefix), await instance(prefix)]
    await other.listen.unsubscribe()
    const kid = other.signing()
    await one.revoke(kid)
    await until(() => other.signing() !== kid)

    expect(other.generation()).toBe(1)
  })

  test('where Redis lost the ring, the instances put it back', async () => {
    const [one, other] = [await instance(prefix), await instance(prefix)]
    const before = one.signing()
    await one.redis.del(`${prefix}:signing-keys`)
    await expect.poll(() => one.redis.exists(`${prefix}:signing-keys`), { timeout: 5_000 }).toBe(1)

    expect(await one.store.read()).toEqual(one.ring())
    expect(other.signing()).toBe(before)
  })

  test('a change is announced, and nothing is where nothing changes', async () => {
    const one = await instance(prefix)
    const before = await one.redis.get(`${prefix}:signing-keys`)
    const told: string[] = []
    const listen = await connect()
    await listen.subscribe(`${prefix}:signing-keys:changed`)
    listen.on('message', (_, text) => told.push(text))
    await one.store.update((ring) => ring ?? one.ring())
    // What was told before this comes before it.
    await one.redis.publish(`${prefix}:signing-keys:changed`, 'unchanged')
    expect(await one.redis.get(`${prefix}:signing-keys`)).toBe(before)
    await one.rotate()
    await one.redis.publish(`${prefix}:signing-keys:changed`, 'end')
    await until(() => told.includes('end'))

    expect(told).toEqual(['unchanged', '', 'end'])
  })

  test('what is no ring is refused by its place', async () => {
    const redis = await connect()
    await redis.set(`${prefix}:signing-keys`, '{}')

    await expect(instance(prefix)).rejects.toMatchObject({
      code: 'ERR_USAGE',
      fields: { 'Redis key': `${prefix}:signing-keys` },
    })
    expect(await redis.get(`${prefix}:signing-keys`)).toBe('{}')
  })

  test('without Redis an instance signs on with what it knows, and still takes a key away', async () => {
    const own = await startRedis('signing keys while Redis is away')
    const one = await instance(prefix, own?.url)
    const kid = one.signing()
    await own?.kill()
    await expect(one.revoke(kid)).rejects.toBeInstanceOf(Error)
    await until(() => one.events.includes('signing-key-store-down'))

    expect(one.signing()).not.toBe(kid)
    expect(one.signing()).not.toBe('')
  })
})
