import type { Redis } from 'ioredis'
import { parsedRing } from './ring-store.ts'
import type { RingStore } from './ring-store.ts'

/** Replaces the value if it still is what it was, and tells everyone. */
const REPLACE = `local held = redis.call('GET', KEYS[1])
if (held or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], '')
return 1`

/** Milliseconds between two looks, for changes whose announcement was lost. */
const LOOK_MS = 1_000

/** Keeps the ring in Redis, for all instances; `listen` is a connection of its own, for the channel. */
export function redisRing(redis: Redis, listen: Redis, prefix: string): RingStore {
  const key = `${prefix}:signing-keys`
  const channel = `${key}:changed`
  let timer: NodeJS.Timeout | undefined
  const parsed = (text: string | null) => (text === null ? undefined : parsedRing(text, { 'Redis key': key }))
  return {
    read: async () => parsed(await redis.get(key)),
    async update(change) {
      for (;;) {
        const held = await redis.get(key)
        const ring = change(parsed(held))
        const text = JSON.stringify(ring)
        if (text === held) return ring
        if ((await redis.eval(REPLACE, 1, key, held ?? '', text, channel)) === 1) return ring
      }
    },
    async watch(look) {
      listen.on('message', (name) => {
        if (name === channel) look()
      })
      await listen.subscribe(channel)
      timer = setInterval(look, LOOK_MS)
      timer.unref()
    },
    [Symbol.asyncDispose]() {
      clearInterval(timer)
      return Promise.resolve()
    },
  }
}
