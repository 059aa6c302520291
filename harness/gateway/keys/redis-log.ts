import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { KeyChange } from './book.ts'
import type { OpenLog } from './log.ts'

/** Whether the list ends where the caller knows it to end; every item is unlike all others. */
const IS_KNOWN = `local length = redis.call('LLEN', KEYS[1])
local isKnown = length == tonumber(ARGV[1]) and (length == 0 or redis.call('LINDEX', KEYS[1], -1) == ARGV[2])`

/** Appends an item to the list; gives its length, or -1 where the list has another end. */
const APPEND = `${IS_KNOWN}
if not isKnown then return -1 end
length = redis.call('RPUSH', KEYS[1], ARGV[4])
redis.call('PUBLISH', ARGV[3], '')
return length`

/** Puts another list in the place of the list, or removes the other one where the list has another end. */
const REPLACE = `${IS_KNOWN}
if not isKnown then return redis.call('DEL', KEYS[2]) end
redis.call('RENAME', KEYS[2], KEYS[1])
redis.call('PERSIST', KEYS[1])
return redis.call('PUBLISH', ARGV[3], '')`

/** Milliseconds between two looks, for changes whose announcement was lost. */
const LOOK_MS = 1_000

/** Milliseconds without an answer from which Redis is silent: a look, the time that it may take, and as much again. */
const SILENT_MS = 3 * LOOK_MS

/** Milliseconds, at most, between an attempt to change something that came too late and the next one. */
const MOST_STEP_MS = 10

/** Items that are read or written at once. */
const PAGE = 5_000

/** Items beyond those that the book needs after which the list is written anew, at least. */
const LEAST_SPARE = 10_000

/** Seconds after which a list that was not finished is gone. */
const UNFINISHED_SEC = 60

/**
 * Keeps changes in a list in Redis that all instances follow; `listen` is a connection of its own, for the channel.
 * A list that is not the one that was read so far, written anew or lost in a failover, is read from its beginning.
 */
export function redisLog(redis: Redis, listen: Redis, prefix: string, leastSpare = LEAST_SPARE): OpenLog {
  const list = `${prefix}:keys`
  const channel = `${list}:changed`
  return async (book) => {
    /** How many items of the list are in the book, and the last of them. */
    let known = 0
    let last = ''
    let heardMs = 0
    /** Items from which it is worth a look whether the list can be shorter. */
    let long = leastSpare
    /** Ends when whoever reads is done. */
    let reading = Promise.resolve()
    const readRest = async (): Promise<void> => {
      let items = await itemsBehind(redis, list, known, last)
      const isOther = items === undefined
      while (!items) items = await itemsBehind(redis, list, 0, '')
      heardMs = performance.now()
      // At once, so that nobody is refused because the book is half read.
      if (isOther) {
        book.clear()
        known = 0
        last = ''
      }
      for (const item of items) for (const change of changesOf(item)) book.apply(change)
      known += items.length
      last = items.at(-1) ?? last
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
    const writeAnew = async (): Promise<void> => {
      const items = [...book.changes()].map((change) => itemOf([change]))
      const place = [known, last, channel] as const
      long = Math.max(leastSpare, 2 * items.length)
      if (items.length === 0 || known <= long) return
      const next = `${list}:${randomUUID()}`
      for (let at = 0; at < items.length; at += PAGE) {
        await redis
          .multi()
          .rpush(next, ...items.slice(at, at + PAGE))
          .expire(next, UNFINISHED_SEC)
          .exec()
      }
      await redis.eval(REPLACE, 2, list, next, ...place)
      await refresh()
    }
    await refresh()
    listen.on('message', (name) => {
      if (name === channel) look()
    })
    await listen.subscribe(channel)
    const timer = setInterval(look, LOOK_MS)
    timer.unref()
    return {
      async append(changes) {
        // The end as it is now and not after another look: by that the caller has decided.
        const length = await redis.eval(APPEND, 1, list, known, last, channel, itemOf(changes))
        // Out of step with an instance that changes one thing after the other, or that would be faster every time.
        if (length === -1) await setTimeout(Math.random() * MOST_STEP_MS)
        await refresh()
        if (length === -1) return false
        // The changes are made, whatever becomes of this.
        if (known > long) await writeAnew().catch(() => undefined)
        return true
      },
      latest: refresh,
      silentMs() {
        const silentMs = performance.now() - heardMs
        return silentMs > SILENT_MS ? silentMs : 0
      },
      [Symbol.asyncDispose]() {
        clearInterval(timer)
        return Promise.resolve()
      },
    }
  }
}

/** The items behind the first `known`; undefined where `last` is not the last of those, or is no longer meanwhile. */
async function itemsBehind(
  redis: Redis,
  list: string,
  known: number,
  last: string,
): Promise<readonly string[] | undefined> {
  const items: string[] = []
  for (;;) {
    const at = known + items.length
    const page = await redis.lrange(list, Math.max(0, at - 1), at + PAGE - 1)
    if (at > 0 && page.shift() !== (items.at(-1) ?? last)) return undefined
    items.push(...page)
    if (page.length < PAGE) return items
  }
}

function itemOf(changes: readonly KeyChange[]): string {
  return JSON.stringify({ id: randomUUID(), changes })
}

function changesOf(item: string): readonly KeyChange[] {
  return (JSON.parse(item) as { readonly changes: readonly KeyChange[] }).changes
}
