import { open, mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { TrustspecError } from '../../model/errors.ts'
import type { Ring } from './ring.ts'

/** Where the ring is kept, for one instance or several. */
export interface RingStore extends AsyncDisposable {
  /** Applies the change to what is stored, as the only one to do so, and gives the outcome. */
  readonly update: (change: (ring: Ring | undefined) => Ring) => Promise<Ring>
  readonly read: () => Promise<Ring | undefined>
  /** Tells when another instance may have changed it. */
  readonly watch: (listener: () => void) => void
}

/** Kept by this process alone. */
export function memoryRing(): RingStore {
  let ring: Ring | undefined
  return {
    update(change) {
      ring = change(ring)
      return Promise.resolve(ring)
    },
    read: () => Promise.resolve(ring),
    watch: () => undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

const LOCK_MS = 10_000

const POLL_MS = 25

/** Milliseconds between two looks at a file that another instance may have written. */
const LOOK_MS = 1_000

/** Kept in a file that only its owner can read; replaced as a whole, so that a reader never sees half of it. */
export function fileRing(file: string): RingStore {
  let timer: NodeJS.Timeout | undefined
  let seenMs = 0
  const read = async (): Promise<Ring | undefined> => {
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    try {
      return JSON.parse(text) as Ring
    } catch (error) {
      throw new TrustspecError(
        'ERR_USAGE',
        'The file of the signing keys is damaged',
        { file, instead: 'the file from a backup, or none: then new keys are made, and origins have to fetch them' },
        { cause: error },
      )
    }
  }
  const write = async (ring: Ring): Promise<void> => {
    const next = `${file}.next`
    const handle = await open(next, 'w', 0o600)
    await handle.writeFile(JSON.stringify(ring))
    await handle.sync()
    await handle.close()
    await rename(next, file)
    const folder = await open(path.dirname(file), 'r')
    await folder.sync()
    await folder.close()
    seenMs = (await stat(file)).mtimeMs
  }
  return {
    read,
    async update(change) {
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
      const release = await lock(`${file}.lock`)
      try {
        const ring = change(await read())
        await write(ring)
        return ring
      } finally {
        await release()
      }
    },
    watch(listener) {
      timer = setInterval(() => {
        stat(file).then(
          ({ mtimeMs }) => {
            if (mtimeMs === seenMs) return
            seenMs = mtimeMs
            listener()
          },
          () => {
            // It comes back with the next write.
          },
        )
      }, LOOK_MS)
      timer.unref()
    },
    [Symbol.asyncDispose]() {
      clearInterval(timer)
      return Promise.resolve()
    },
  }
}

/** Takes the lock, or takes over one whose holder has died; gives the way to release it. */
async function lock(file: string): Promise<() => Promise<void>> {
  const until = Date.now() + LOCK_MS
  for (;;) {
    try {
      const handle = await open(file, 'wx', 0o600)
      await handle.close()
      return () => rm(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (Date.now() > until) await rm(file, { force: true })
      await wait(POLL_MS)
    }
  }
}

/** Replaces the value if it still is what it was, and tells everyone. */
const REPLACE = `local held = redis.call('GET', KEYS[1])
if (held or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('PUBLISH', KEYS[2], '')
return 1`

/** Kept in Redis, shared by all instances; `listen` is a connection of its own, for the channel. */
export function redisRing(redis: Redis, listen: Redis, prefix: string): RingStore {
  const key = `${prefix}:signing-keys`
  const channel = `${key}:changed`
  const parsed = (text: string | null): Ring | undefined => (text === null ? undefined : (JSON.parse(text) as Ring))
  return {
    read: async () => parsed(await redis.get(key)),
    async update(change) {
      for (;;) {
        const held = await redis.get(key)
        const ring = change(parsed(held))
        const done = await redis.eval(REPLACE, 2, key, channel, held ?? '', JSON.stringify(ring))
        if (done === 1) return ring
      }
    },
    watch(listener) {
      listen.on('message', (name) => {
        if (name === channel) listener()
      })
      // After an outage the channel may have been silent about a change.
      listen.on('ready', listener)
      listen.subscribe(channel).catch(() => {
        // Subscribed anew when the connection is back.
      })
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
