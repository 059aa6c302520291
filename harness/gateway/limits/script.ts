import { hash } from 'node:crypto'
import type { Redis } from 'ioredis'

/** Runs a script in Redis, where nothing else comes between its steps; rejects when Redis is away. */
export type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>

/** A script that is sent once, and called by its digest from then on. */
export function createScript(redis: Redis, source: string): Script {
  const digest = hash('sha1', source)
  return async (keys, args) => {
    try {
      return await redis.evalsha(digest, keys.length, ...keys, ...args)
    } catch (error) {
      // A Redis that was started anew, or took over, does not know it.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return await redis.eval(source, keys.length, ...keys, ...args)
    }
  }
}
