import type { Redis } from 'ioredis'
import type { KeyChange } from './book.ts'
import type { KeyLog, OpenLog } from './log.ts'

/** Appends to the list if it is as long as the caller knows it to be; gives its length, or -1. */
const APPEND = `if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return -1 end
local length = redis.call('RPUSH', KEYS[1], ARGV[2])
redis.call('PUBLISH', KEYS[2], '')
return length`

/** Milliseconds between two looks, for changes whose announcement was lost. */
const LOOK_MS = 1_000

/** Items that are read at once. */
const PAGE = 5_000

/** Keeps changes in a list in Redis that all instances follow; `listen` is a connection of its own, for the channel. */
export function redisLog(redis: Redis, listen: Redis, prefix: string): OpenLog {
  const list = `${prefix}:keys`
  const channel = `${list}:changed`
  return async (apply) => {
    let known = 0
    let heardMs = 0
    /** Ends when whoever reads is done. */
    let reading = Promise.resolve()
    const readRest = async (): Promise<void> => {
      for (;;) {
        const items = await redis.lrange(list, known, known + PAGE - 1)
        heardMs = performance.now()
        for (const item of items) {
          for (const change of JSON.parse(item) as readonly KeyChange[]) apply(change)
        }
        known += items.length
        if (items.length < PAGE) return
      }
    }
    /** One reader at a time, so that no change is applied twice. */
    const refresh = async (): Promise<void> => {
      reading = reading.catch(() => undefined).then(readRest)
      await reading
    }
    const look = (): void => {
      refresh().catch(() => {
        // That it is silent is told by silentMs.
      })
    }
    await refresh()
    listen.on('message', (name) => {
      if (name === channel) look()
    })
    await listen.subscribe(channel)
    const timer = setInterval(look, LOOK_MS)
    timer.unref()
    const log: KeyLog = {
      async append(changes) {
        await refresh()
        const length = await redis.eval(APPEND, 2, list, channel, known, JSON.stringify(changes))
        await refresh()
        return length !== -1
      },
      silentMs: () => performance.now() - heardMs,
      [Symbol.asyncDispose]() {
        clearInterval(timer)
        return Promise.resolve()
      },
    }
    return log
  }
}
