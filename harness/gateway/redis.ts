import { Redis } from 'ioredis'
import { TrustspecError } from '../model/errors.ts'

/** Milliseconds after which a command that is not answered has failed. */
const COMMAND_MS = 1_000

/** Milliseconds between two attempts to connect again. */
const RECONNECT_MS = 250

/**
 * A connection to Redis. While it is away every command rejects at once, and it is connected again by itself. Throws
 * ERR_USAGE when it cannot be reached at the start.
 */
export async function connectRedis(url: string): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_MS,
    connectTimeout: COMMAND_MS,
    retryStrategy: () => RECONNECT_MS,
  })
  // Every failure is seen by the command that it fails; without a listener it would end the process.
  redis.on('error', () => undefined)
  try {
    await redis.connect()
  } catch (error) {
    redis.disconnect()
    throw new TrustspecError(
      'ERR_USAGE',
      'Redis cannot be reached',
      { url: URL.canParse(url) ? new URL(url).host : 'none', instead: 'redis://HOST:PORT of a server that runs' },
      { cause: error },
    )
  }
  return redis
}
