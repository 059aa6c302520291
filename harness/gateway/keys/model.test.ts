import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { stillClock } from '../limits/still-clock.testing.ts'
import { connectRedis } from '../redis.ts'
import { startRedis } from '../redis-server.testing.ts'
import { fileLog } from './file-log.ts'
import { memoryLog } from './log.ts'
import type { OpenLog } from './log.ts'
import { faultsOf, walkBoth } from './naive.testing.ts'
import { redisLog } from './redis-log.ts'
import { openKeyStore } from './store.ts'

const open = (log: OpenLog) => openKeyStore(log, { prefix: 'tsk', clock: stillClock() })

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'trustspec-keys-'))
  onTestFinished(() => rm(made, { recursive: true }))
  return made
}

test.each([1, 2, 3, 4, 5])('in memory a store is at every step what one would write down: walk %i', async (seed) => {
  await using store = await open(memoryLog)
  const { model, faults } = await walkBoth(store, { seed, steps: 400, looks: true })

  expect(faults).toEqual([])
  // The walk saw something: keys, texts that are keys no more, and leaked ones.
  expect(model.keys.length).toBeGreaterThan(0)
  expect(model.texts.size).toBeGreaterThan(model.keys.length + 20)
  expect(model.leaked.size).toBeGreaterThan(0)
})

test.each([11, 12])('in a file it is that too, and when it is opened again: walk %i', async (seed) => {
  const file = path.join(await folder(), 'keys.journal')
  const first = await open(fileLog(file, 25))
  const { model, faults } = await walkBoth(first, { seed, steps: 300, looks: true })
  await first[Symbol.asyncDispose]()
  await using second = await open(fileLog(file, 25))

  expect([...faults, ...faultsOf(second, model)]).toEqual([])
  for (const text of model.leaked) {
    await expect(second.importKey('default', model.consumers[0]?.name ?? '', text)).rejects.toMatchObject({
      status: 409,
    })
  }
})

const redis = await startRedis('that key stores in Redis are what one would write down')

afterAll(() => redis?.kill())

describe.runIf(redis)('in Redis', () => {
  test.each([
    [21, 22],
    [23, 24],
  ])('two instances that walk at the same time agree: walks %i and %i', async (...seeds) => {
    const connections = await Promise.all(Array.from({ length: 6 }, () => connectRedis(redis?.url ?? '')))
    onTestFinished(() => {
      for (const connection of connections) connection.disconnect()
    })
    const instance = async (nth: number) => {
      const [commands, channel] = connections.slice(2 * nth)
      if (!commands || !channel) throw new Error('The test has too few connections')
      return await open(redisLog(commands, channel, `model-${seeds[0]}`, 40))
    }
    await using one = await instance(0)
    await using other = await instance(1)
    const walks = await Promise.all(
      [one, other].map((store, nth) => walkBoth(store, { seed: seeds[nth] ?? 0, steps: 200, looks: false })),
    )
    await using third = await instance(2)

    expect(walks.flatMap(({ faults }) => faults)).toEqual([])
    for (const store of [one, other, third]) {
      await expect
        .poll(() => walks.flatMap(({ model }) => faultsOf(store, model)), { timeout: 3_000, interval: 5 })
        .toEqual([])
    }
    expect(one.consumers('default')).toEqual(third.consumers('default'))
  })
})
