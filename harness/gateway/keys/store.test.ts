import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { appendFile, link, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { connectRedis } from '../redis.ts'
import { startRedis } from '../redis-server.testing.ts'
import { stillClock } from '../limits/still-clock.testing.ts'
import { fileLog } from './file-log.ts'
import { isKeyText, makeKeyText } from './format.ts'
import { memoryLog } from './log.ts'
import type { OpenLog } from './log.ts'
import { redisLog } from './redis-log.ts'
import { openKeyStore } from './store.ts'
import type { KeyStore } from './store.ts'

const clock = stillClock()
const open = (log: OpenLog = memoryLog) => openKeyStore(log, { prefix: 'tsk', clock })
const BUCKET = 'default'

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'trustspec-keys-'))
  onTestFinished(() => rm(made, { recursive: true }))
  return made
}

describe('keys', () => {
  test('have the form PREFIX_random_checksum, and no two are alike', () => {
    const keys = Array.from({ length: 200 }, () => makeKeyText('acme_live'))

    expect(new Set(keys).size).toBe(200)
    expect(keys.filter((key) => !/^acme_live_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/u.test(key))).toEqual([])
    expect(keys.filter((key) => !isKeyText(key))).toEqual([])
    const [key = ''] = keys
    const at = key.length - 10
    const changed = `${key.slice(0, at)}${key[at] === 'a' ? 'b' : 'a'}${key.slice(at + 1)}`
    expect([changed, key.toUpperCase(), key.slice(0, -1), ''].filter(isKeyText)).toEqual([])
  })

  test('are found by their whole text alone, in their bucket alone', async () => {
    await using store = await open()
    await store.createConsumer(BUCKET, 'acme', { metadata: { plan: 'team' } })
    const { key, stored } = await store.createKey(BUCKET, 'acme')

    expect(store.find(BUCKET, key)).toEqual({
      id: stored.id,
      consumer: 'acme',
      metadata: { plan: 'team' },
      disabled: false,
    })
    expect(store.find('other', key)).toBeUndefined()
    for (const other of [key.slice(0, -1), `${key}x`, key.toLowerCase(), '__proto__', 'constructor', '']) {
      expect(store.find(BUCKET, other)).toBeUndefined()
    }
    expect(JSON.stringify(stored)).not.toContain(key.slice(4, 30))
  })

  test('end with their consumer, when they are disabled, deleted or expired', async () => {
    await using store = await open()
    await store.createConsumer(BUCKET, 'acme', {})
    const first = await store.createKey(BUCKET, 'acme', { expiresOn: '2030-01-01T00:00:00Z' })
    const second = await store.createKey(BUCKET, 'acme')

    expect(store.find(BUCKET, first.key)?.expiresMs).toBe(Date.UTC(2030, 0, 1))
    await store.updateKey(BUCKET, 'acme', first.stored.id, { disabled: true })
    expect(store.find(BUCKET, first.key)?.disabled).toBe(true)
    await store.updateConsumer(BUCKET, 'acme', { disabled: true })
    expect(store.find(BUCKET, second.key)?.disabled).toBe(true)
    await store.updateConsumer(BUCKET, 'acme', { disabled: false })
    expect(store.find(BUCKET, second.key)?.disabled).toBe(false)
    await store.deleteKey(BUCKET, 'acme', second.stored.id)
    expect(store.find(BUCKET, second.key)).toBeUndefined()
    await store.deleteConsumer(BUCKET, 'acme')
    expect(store.find(BUCKET, first.key)).toBeUndefined()
    await store.createConsumer(BUCKET, 'acme', {})
    expect(store.keys(BUCKET, 'acme')).toEqual([])
  })

  test('are never given a longer life by a roll', async () => {
    await using store = await open()
    await store.createConsumer(BUCKET, 'acme', {})
    const soon = await store.createKey(BUCKET, 'acme', { expiresOn: '2030-01-01T00:00:00Z' })
    const never = await store.createKey(BUCKET, 'acme')
    const third = await store.roll(BUCKET, 'acme', '2031-01-01T00:00:00+01:00')
    await store.roll(BUCKET, 'acme', '2035-01-01T00:00:00Z')

    const ends = new Map(store.keys(BUCKET, 'acme').map(({ id, expiresOn }) => [id, expiresOn]))
    expect(ends.get(soon.stored.id)).toBe('2030-01-01T00:00:00.000Z')
    expect(ends.get(never.stored.id)).toBe('2030-12-31T23:00:00.000Z')
    expect(ends.get(third.stored.id)).toBe('2035-01-01T00:00:00.000Z')
    expect([...ends.values()].filter((end) => end === null)).toHaveLength(1)
  })

  test('that leaked are refused for good, and found again when they are reported again', async () => {
    await using store = await open()
    await store.createConsumer(BUCKET, 'acme', {})
    const { key, stored } = await store.createKey(BUCKET, 'acme')
    const [found, none] = await store.revokeLeaked([key, 'tsk_unknown'])

    expect([found?.id, none]).toEqual([stored.id, undefined])
    await store.updateKey(BUCKET, 'acme', stored.id, { disabled: false })
    expect(store.find(BUCKET, key)?.disabled).toBe(true)
    expect((await store.revokeLeaked([key]))[0]?.leakedOn).toBeDefined()
  })

  test('that were made elsewhere are taken over, once', async () => {
    await using store = await open()
    await store.createConsumer(BUCKET, 'acme', {})
    await store.importKey(BUCKET, 'acme', 'an-old-key-of-24-letters')

    expect(store.find(BUCKET, 'an-old-key-of-24-letters')?.consumer).toBe('acme')
    await expect(store.importKey(BUCKET, 'acme', 'an-old-key-of-24-letters')).rejects.toMatchObject({ status: 409 })
    await expect(store.importKey(BUCKET, 'acme', 'short')).rejects.toMatchObject({ status: 400 })
  })
})

test.each<readonly [what: string, status: number, act: (store: KeyStore) => Promise<unknown>]>([
  ['a name that is taken', 409, (store: KeyStore) => store.createConsumer(BUCKET, 'acme', {})],
  ['a name with a slash', 400, (store: KeyStore) => store.createConsumer(BUCKET, 'a/b', {})],
  [
    'metadata beyond 1 kB',
    400,
    (store: KeyStore) => store.updateConsumer(BUCKET, 'acme', { metadata: { x: 'y'.repeat(1_100) } }),
  ],
  [
    'six tags',
    400,
    (store: KeyStore) => store.updateConsumer(BUCKET, 'acme', { tags: { a: '', b: '', c: '', d: '', e: '', f: '' } }),
  ],
  [
    'a manager without an address',
    400,
    (store: KeyStore) => store.updateConsumer(BUCKET, 'acme', { managers: ['someone'] }),
  ],
  ['a consumer that is not there', 404, (store: KeyStore) => store.createKey(BUCKET, 'nobody')],
  ['a key that is not there', 404, (store: KeyStore) => store.deleteKey(BUCKET, 'acme', 'key_none')],
  ...['tomorrow', '1', 'Jan 5', '2030-01-01T00:00', '2030-13-01T00:00:00Z', '+010000-01-01T00:00:00Z'].map(
    (expiresOn) =>
      [`the time ${expiresOn}`, 400, (store: KeyStore) => store.createKey(BUCKET, 'acme', { expiresOn })] as const,
  ),
  ['a bucket with a slash', 400, (store: KeyStore) => store.createConsumer('a/b', 'acme', {})],
  [
    'a tag that is no text',
    400,
    (store: KeyStore) => store.updateConsumer(BUCKET, 'acme', { tags: { a: 1 } as unknown as Record<string, string> }),
  ],
  [
    'metadata of 1 kB of characters and more octets',
    400,
    (store: KeyStore) => store.updateConsumer(BUCKET, 'acme', { metadata: { x: '\u20ac'.repeat(400) } }),
  ],
  ...Array.from('",;&%\\').map(
    (character) =>
      [
        `a key from elsewhere with ${character}`,
        400,
        (store: KeyStore) => store.importKey(BUCKET, 'acme', `an-old-key${character}of-24-letters`),
      ] as const,
  ),
])('%s is refused with %i', async (_, status, act) => {
  await using store = await open()
  await store.createConsumer(BUCKET, 'acme', {})

  await expect(act(store)).rejects.toMatchObject({ name: 'KeyStoreError', status })
})

/** A walk of changes that follows from the seed, and what must be true after it. */
async function walk(store: KeyStore, seed: number, steps: number): Promise<Map<string, { live: boolean }>> {
  const model = new Map<string, { live: boolean; id: string }>()
  let state = seed
  const next = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    // The lower bits of such a row repeat soon.
    return (state >> 12) % below
  }
  await store.createConsumer(BUCKET, `walker-${seed}`, {})
  for (let step = 0; step < steps; step += 1) {
    const known = [...model]
    const [key, entry] = known[next(Math.max(1, known.length))] ?? []
    const choice = next(4)
    if (choice < 2 || key === undefined || !entry) {
      const made = await store.createKey(BUCKET, `walker-${seed}`)
      model.set(made.key, { live: true, id: made.stored.id })
    } else if (choice === 2) {
      await store.updateKey(BUCKET, `walker-${seed}`, entry.id, { disabled: entry.live })
      entry.live = !entry.live
    } else {
      await store.deleteKey(BUCKET, `walker-${seed}`, entry.id)
      model.delete(key)
    }
  }
  return model
}

function wrongIn(store: KeyStore, model: ReadonlyMap<string, { readonly live: boolean }>): readonly string[] {
  return [...model].filter(([key, { live }]) => store.find(BUCKET, key)?.disabled !== !live).map(([key]) => key)
}

describe('the file', () => {
  test('holds what a walk of changes left, also when it was written anew meanwhile', async () => {
    const file = path.join(await folder(), 'state', 'keys.journal')
    const first = await open(fileLog(file, 20))
    const model = await walk(first, 7, 400)
    const lines = (await readFile(file, 'utf8')).split('\n').length - 1
    expect(wrongIn(first, model)).toEqual([])
    expect(lines).toBeLessThanOrEqual(Math.max(20, 2 * (model.size + 1)) + 1)
    await first[Symbol.asyncDispose]()
    await using second = await open(fileLog(file, 20))

    expect(wrongIn(second, model)).toEqual([])
    expect(second.keys(BUCKET, 'walker-7')).toHaveLength(model.size)
  })

  test('is written anew beside itself: until the new one is whole the old one is there', async () => {
    const file = path.join(await folder(), 'keys.journal')
    const first = await open(fileLog(file, 5))
    await first.createConsumer(BUCKET, 'acme', {})
    await link(file, `${file}.old`)
    for (let change = 0; change < 20; change += 1) {
      await first.updateConsumer(BUCKET, 'acme', { description: String(change) })
    }
    await first[Symbol.asyncDispose]()
    const old = (await readFile(`${file}.old`, 'utf8')).split('\n')

    expect((await stat(file)).ino).not.toBe((await stat(`${file}.old`)).ino)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(old).toHaveLength(7)
    expect(old[0]).toContain('"description":""')
  })

  test('may end in a part of a line, of which nobody was told', async () => {
    const file = path.join(await folder(), 'keys.journal')
    const first = await open(fileLog(file))
    await first.createConsumer(BUCKET, 'acme', {})
    const { key } = await first.createKey(BUCKET, 'acme')
    await first[Symbol.asyncDispose]()
    const whole = await readFile(file, 'utf8')
    await appendFile(file, whole.slice(0, 40))
    const second = await open(fileLog(file))
    expect(second.find(BUCKET, key)?.consumer).toBe('acme')
    const next = await second.createKey(BUCKET, 'acme')
    await second[Symbol.asyncDispose]()
    await using third = await open(fileLog(file))

    expect([key, next.key].map((one) => third.find(BUCKET, one)?.consumer)).toEqual(['acme', 'acme'])
  })

  test('stays as it is where it cannot be written anew, and no change fails for that', async () => {
    const file = path.join(await folder(), 'keys.journal')
    const first = await open(fileLog(file, 5))
    // In the way of the new file.
    await mkdir(`${file}.next`)
    const model = await walk(first, 11, 60)
    await first[Symbol.asyncDispose]()
    await using second = await open(fileLog(file, 5))

    expect(wrongIn(second, model)).toEqual([])
  })

  test('is held by another process as long as that lives, and not by one that has its number later', async () => {
    const file = path.join(await folder(), 'keys.journal')
    const writer = spawn(process.execPath, [fileURLToPath(new URL('./kill.testing.ts', import.meta.url)), file])
    const closed = once(writer, 'close')
    await once(writer.stdout, 'data')
    writer.stdout.resume()
    await expect(open(fileLog(file))).rejects.toMatchObject({ fields: { file, pid: writer.pid } })
    const lock = await readFile(`${file}.lock`, 'utf8')
    writer.kill('SIGKILL')
    await closed
    const first = await open(fileLog(file))
    expect(first.consumers(BUCKET)).toMatchObject([{ name: 'writer' }])
    await first[Symbol.asyncDispose]()

    expect(lock).toMatch(process.platform === 'linux' ? /^\d+ \d+$/u : /^\d+ /u)
    await writeFile(`${file}.lock`, lock.replace(/^\d+/u, String(process.ppid)))
    await (await open(fileLog(file)))[Symbol.asyncDispose]()
    expect(existsSync(`${file}.lock`)).toBe(false)
  })

  test('is held by one store at a time, and damage is told by its line', async () => {
    const file = path.join(await folder(), 'keys.journal')
    const store = await open(fileLog(file))
    await expect(open(fileLog(file))).rejects.toMatchObject({ code: 'ERR_USAGE', fields: { file } })
    await store[Symbol.asyncDispose]()
    await writeFile(file, '[]\nnothing\n')

    await expect(open(fileLog(file))).rejects.toMatchObject({ code: 'ERR_USAGE', fields: { file, line: 2 } })
  })
})

const redis = await startRedis('that instances share API keys')

afterAll(() => redis?.kill())

describe.runIf(redis)('in Redis', () => {
  async function instance(prefix: string, leastSpare?: number) {
    const connections = [await connectRedis(redis?.url ?? ''), await connectRedis(redis?.url ?? '')] as const
    const store = await open(redisLog(connections[0], connections[1], prefix, leastSpare))
    return {
      store,
      redis: connections[0],
      /** From now on it learns of changes only when it looks for them. */
      deafen: () => connections[1].unsubscribe(),
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]()
        for (const connection of connections) connection.disconnect()
      },
    }
  }

  async function until(holds: () => boolean): Promise<void> {
    await expect.poll(holds, { timeout: 3_000, interval: 5 }).toBe(true)
  }

  test('two instances that change at the same time agree', async () => {
    await using one = await instance('agree')
    await using other = await instance('agree')
    const models = await Promise.all([walk(one.store, 3, 120), walk(other.store, 5, 120)])

    for (const model of models) {
      await until(() => wrongIn(one.store, model).length === 0 && wrongIn(other.store, model).length === 0)
    }
    const consumers = ({ store }: typeof one) => store.consumers(BUCKET).map(({ name }) => name)
    expect(consumers(one)).toEqual(consumers(other))
  })

  test('an instance that has not heard of a change yet decides by it all the same', async () => {
    await using one = await instance('deaf')
    await using other = await instance('deaf')
    await one.store.createConsumer(BUCKET, 'acme', {})
    const made = await Promise.all(Array.from({ length: 4 }, () => one.store.createKey(BUCKET, 'acme')))
    await until(() => other.store.keys(BUCKET, 'acme').length === made.length)
    await other.deafen()
    const [gone, leaked] = made
    await one.store.deleteKey(BUCKET, 'acme', gone?.stored.id ?? '')
    const updated = other.store.updateKey(BUCKET, 'acme', gone?.stored.id ?? '', { description: 'late' })
    await expect(updated).rejects.toMatchObject({ status: 404 })
    await one.store.revokeLeaked([leaked?.key ?? ''])
    await other.store.roll(BUCKET, 'acme', '2031-01-01T00:00:00Z')
    await one.store.createConsumer(BUCKET, 'taken', {})
    await expect(other.store.createConsumer(BUCKET, 'taken', {})).rejects.toMatchObject({ status: 409 })

    for (const { store } of [one, other]) {
      await until(() => store.keys(BUCKET, 'acme').length === made.length)
      expect(store.find(BUCKET, gone?.key ?? '')).toBeUndefined()
      expect(store.find(BUCKET, leaked?.key ?? '')?.disabled).toBe(true)
    }
  })

  test('many changes at once of two instances are all made', async () => {
    await using one = await instance('burst')
    await using other = await instance('burst')
    await one.store.createConsumer(BUCKET, 'acme', {})
    await until(() => other.store.consumers(BUCKET).length === 1)
    const made = await Promise.all(
      Array.from({ length: 300 }, (_, at) => (at % 2 === 0 ? one : other).store.createKey(BUCKET, 'acme')),
    )

    for (const { store } of [one, other]) {
      await until(() => store.keys(BUCKET, 'acme').length === made.length)
      expect(made.filter(({ key }) => store.find(BUCKET, key) === undefined)).toEqual([])
    }
  })

  test('the list is written anew when it is long, and every instance goes on with the new one', async () => {
    await using one = await instance('long', 20)
    await using other = await instance('long', 20)
    const models = await Promise.all([walk(one.store, 13, 150), walk(other.store, 17, 150)])
    const keys = models.reduce((sum, { size }) => sum + size, 0)

    for (const { store } of [one, other]) {
      await until(() => models.every((model) => wrongIn(store, model).length === 0))
    }
    expect(await one.redis.llen('long:keys')).toBeLessThanOrEqual(Math.max(20, 2 * (keys + 2)) + 1)
    expect(await one.redis.keys('long:*')).toEqual(['long:keys'])
    await using third = await instance('long', 20)
    expect(models.flatMap((model) => wrongIn(third.store, model))).toEqual([])
  })

  test.each([
    ['is gone', (): string[] => []],
    ['lacks its last entries', (items: readonly string[]) => items.slice(0, -1)],
    [
      'has other last entries',
      (items: readonly string[]) => [...items.slice(0, -1), JSON.stringify({ id: 'other', changes: [] })],
    ],
  ])('a list that %s, as after a failover, is read anew and can be changed', async (name, changed) => {
    await using one = await instance(name)
    await using other = await instance(name)
    await one.store.createConsumer(BUCKET, 'acme', {})
    const { key } = await one.store.createKey(BUCKET, 'acme')
    await until(() => other.store.find(BUCKET, key) !== undefined)
    const items = await one.redis.lrange(`${name}:keys`, 0, -1)
    const transaction = one.redis.multi().del(`${name}:keys`)
    for (const item of changed(items)) transaction.rpush(`${name}:keys`, item)
    await transaction.exec()
    await one.store.createConsumer(BUCKET, 'next', {})

    for (const { store } of [one, other]) {
      await until(() => store.consumers(BUCKET).some((consumer) => consumer.name === 'next'))
      expect(store.find(BUCKET, key)).toBeUndefined()
    }
    expect(one.store.consumers(BUCKET)).toEqual(other.store.consumers(BUCKET))
  })

  test('what one revokes is refused by the other, and while Redis is away nothing is changed and silence is told', async () => {
    await using one = await instance('away')
    await using other = await instance('away')
    await one.store.createConsumer(BUCKET, 'acme', {})
    const { key, stored } = await one.store.createKey(BUCKET, 'acme')
    await until(() => other.store.find(BUCKET, key) !== undefined)
    await other.store.deleteKey(BUCKET, 'acme', stored.id)
    await until(() => one.store.find(BUCKET, key) === undefined)
    const kept = await one.store.createKey(BUCKET, 'acme')
    expect(one.store.silentMs()).toBe(0)
    await redis?.kill()

    await expect(one.store.createKey(BUCKET, 'acme')).rejects.toThrow()
    expect(one.store.find(BUCKET, kept.key)?.consumer).toBe('acme')
    await expect.poll(() => one.store.silentMs(), { timeout: 10_000, interval: 20 }).toBeGreaterThan(0)
  })
})
