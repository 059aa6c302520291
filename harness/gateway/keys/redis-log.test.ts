import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Redis } from 'ioredis'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { stillClock } from '../limits/still-clock.testing.ts'
import { connectRedis } from '../redis.ts'
import { startRedis } from '../redis-server.testing.ts'
import { redisLog } from './redis-log.ts'
import { openKeyStore } from './store.ts'
import type { KeyStore } from './store.ts'

const BUCKET = 'default'

interface Instance extends AsyncDisposable {
  readonly store: KeyStore
  readonly commands: Redis
  readonly channel: Redis
}

/** Two instances on one list, both of which know the consumer `acme`. */
async function pair(url: string, prefix: string, leastSpare?: number): Promise<readonly [Instance, Instance]> {
  const instance = async (): Promise<Instance> => {
    const [commands, channel] = [await connectRedis(url), await connectRedis(url)]
    const log = redisLog(commands, channel, prefix, leastSpare)
    const store = await openKeyStore(log, { prefix: 'tsk', clock: stillClock() })
    const disposed = async (): Promise<void> => {
      await store[Symbol.asyncDispose]()
      commands.disconnect()
      channel.disconnect()
    }
    onTestFinished(disposed)
    return { store, commands, channel, [Symbol.asyncDispose]: disposed }
  }
  const both = [await instance(), await instance()] as const
  await both[0].store.createConsumer(BUCKET, 'acme', {})
  await until(() => both[1].store.consumers(BUCKET).length === 1)
  return both
}

async function until(holds: () => boolean): Promise<void> {
  await expect.poll(holds, { timeout: 15_000, interval: 10 }).toBe(true)
}

const names = ({ store }: Instance) => store.consumers(BUCKET).map(({ name }) => name)

const server = await startRedis('what a key store does while Redis is away')

afterAll(() => server?.kill())

describe.runIf(server)('a key store in Redis', () => {
  async function ownServer(folder?: string) {
    const own = await startRedis('', folder)
    if (!own) throw new Error('redis-server does not start')
    onTestFinished(own.kill)
    return own
  }

  test('that is killed and comes back: silence is told, changes are refused, and nothing is lost', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-redis-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const redis = await ownServer(folder)
    const [one, other] = await pair(redis.url, 'back')
    const kept = await one.store.createKey(BUCKET, 'acme')
    const gone = await one.store.createKey(BUCKET, 'acme')
    await one.store.deleteKey(BUCKET, 'acme', gone.stored.id)
    const stores = [one.store, other.store]
    const isAsItWas = (): boolean =>
      stores.every((store) => store.find(BUCKET, kept.key) !== undefined && store.find(BUCKET, gone.key) === undefined)
    await until(isAsItWas)
    await redis.kill()

    await expect(one.store.createKey(BUCKET, 'acme')).rejects.toThrow()
    await expect(other.store.revokeLeaked(['tsk_unknown'])).rejects.toThrow()
    await until(() => stores.every((store) => store.silentMs() > 0))
    const silentMs = one.store.silentMs()
    await until(() => one.store.silentMs() > silentMs)
    expect(isAsItWas()).toBe(true)
    await redis.restart()

    await until(() => stores.every((store) => store.silentMs() === 0))
    expect(isAsItWas()).toBe(true)
    const next = await one.store.createKey(BUCKET, 'acme')
    await until(() => other.store.find(BUCKET, next.key) !== undefined)
    const keys = ({ store }: Instance) => store.keys(BUCKET, 'acme').map(({ id }) => id)
    expect([keys(one), keys(other)]).toEqual([1, 2].map(() => [kept.stored.id, next.stored.id]))
  })

  test('that stands still with its connections open: silence is told, and afterwards both know the same', async () => {
    const redis = await ownServer()
    const [one, other] = await pair(redis.url, 'frozen')
    const { key, stored } = await one.store.createKey(BUCKET, 'acme')
    await until(() => other.store.find(BUCKET, key) !== undefined)
    redis.freeze()

    // Whether it is made becomes known only when Redis goes on.
    await expect(one.store.deleteKey(BUCKET, 'acme', stored.id)).rejects.toThrow()
    await until(() => one.store.silentMs() > 0 && other.store.silentMs() > 0)
    redis.thaw()

    await until(() => one.store.silentMs() === 0 && other.store.silentMs() === 0)
    await one.store.createConsumer(BUCKET, 'next', {})
    await until(() => names(other).includes('next'))
    expect(one.store.keys(BUCKET, 'acme')).toEqual(other.store.keys(BUCKET, 'acme'))
  })

  test('that comes back empty: no key counts any more, in any instance', async () => {
    const redis = await ownServer()
    const [one, other] = await pair(redis.url, 'empty')
    const { key } = await one.store.createKey(BUCKET, 'acme')
    await until(() => other.store.find(BUCKET, key) !== undefined)
    await redis.restart()

    await until(() => [one, other].every(({ store }) => store.find(BUCKET, key) === undefined))
    await until(() => one.commands.status === 'ready')
    await one.store.createConsumer(BUCKET, 'acme', {})
    await until(() => names(other).length === 1)
    expect([one, other].map(names)).toEqual([['acme'], ['acme']])
  })

  test('a leaked key that an instance has not heard of yet is ended by it all the same', async () => {
    const [one, other] = await pair(server?.url ?? '', 'leaked')
    await other.channel.unsubscribe()
    const { key, stored } = await one.store.createKey(BUCKET, 'acme')

    expect((await other.store.revokeLeaked([key])).map((found) => found?.id)).toEqual([stored.id])
    await until(() => one.store.find(BUCKET, key)?.disabled === true)
  })

  test('a change that comes while another instance writes the list anew is in the new one', async () => {
    const [one, other] = await pair(server?.url ?? '', 'anew', 10)
    const made: string[] = []
    const evaluate = one.commands.eval.bind(one.commands) as (...args: unknown[]) => Promise<unknown>
    one.commands.eval = async (script: string, ...args: unknown[]) => {
      if (script.includes('RENAME')) made.push((await other.store.createKey(BUCKET, 'acme')).key)
      return await evaluate(script, ...args)
    }
    for (let change = 0; change < 30; change += 1) {
      await one.store.updateConsumer(BUCKET, 'acme', { description: String(change) })
    }

    expect(made.length).toBeGreaterThan(0)
    for (const { store } of [one, other]) {
      await until(() => store.consumer(BUCKET, 'acme').description === '29')
      expect(made.filter((key) => store.find(BUCKET, key) === undefined)).toEqual([])
    }
    expect(await one.commands.keys('anew:*')).toEqual(['anew:keys'])
  })
})
