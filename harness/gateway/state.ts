import path from 'node:path'
import type { Clock } from '../clock/clock.ts'
import { fileLog } from './keys/file-log.ts'
import { memoryLog } from './keys/log.ts'
import { redisLog } from './keys/redis-log.ts'
import { openKeyStore } from './keys/store.ts'
import type { KeyStore } from './keys/store.ts'
import { openFileQuotas } from './limits/file-quotas.ts'
import { createMemoryLimits } from './limits/memory-limits.ts'
import { createMemoryQuotas } from './limits/memory-quotas.ts'
import { createRedisLimits } from './limits/redis-limits.ts'
import { createRedisQuotas } from './limits/redis-quotas.ts'
import type { LimitStore, QuotaStore } from './policy.ts'
import { connectRedis } from './redis.ts'
import { fileRing } from './tokens/ring-file.ts'
import { redisRing } from './tokens/ring-redis.ts'
import { memoryRing } from './tokens/ring-store.ts'
import type { RingStore } from './tokens/ring-store.ts'
import { AsyncDisposableStack } from '../model/stack.ts'

/** Where a gateway keeps what outlives a request: in memory, in a folder of its own, or in Redis with others. */
export type StatePlace = { readonly kind: 'memory' } | { readonly folder: string } | { readonly redis: string }

/** Everything that a gateway keeps. */
export interface State extends AsyncDisposable {
  readonly keys: KeyStore
  readonly limits: LimitStore
  readonly quotas: QuotaStore
  readonly ring: RingStore
}

/** File of the keys in the folder; whoever holds it runs on that state. */
export const KEYS_FILE = 'keys.journal'

/** File of the signing keys in the folder. */
export const SIGNING_KEYS_FILE = 'signing-keys.json'

/** Names in Redis begin so. */
const REDIS_PREFIX = 'gateway'

/** Opens the state; ERR_USAGE where it cannot be had or another process holds it. */
export async function openState(place: StatePlace, clock: Clock, keyPrefix: string): Promise<State> {
  await using stack = new AsyncDisposableStack()
  const parts = await partsOf(place, clock, keyPrefix, stack)
  const kept = stack.move()
  return { ...parts, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

async function partsOf(
  place: StatePlace,
  clock: Clock,
  prefix: string,
  stack: AsyncDisposableStack,
): Promise<Omit<State, typeof Symbol.asyncDispose>> {
  if ('redis' in place) {
    const connect = async () =>
      stack.adopt(await connectRedis(place.redis), (redis) => {
        redis.disconnect()
      })
    const redis = await connect()
    const keyChannel = await connect()
    const ringChannel = await connect()
    return {
      keys: stack.use(await openKeyStore(redisLog(redis, keyChannel, REDIS_PREFIX), { prefix, clock })),
      limits: createRedisLimits(redis, clock),
      quotas: createRedisQuotas(redis, clock),
      ring: stack.use(redisRing(redis, ringChannel, REDIS_PREFIX)),
    }
  }
  if ('folder' in place) {
    const at = (name: string): string => path.join(place.folder, name)
    return {
      keys: stack.use(await openKeyStore(fileLog(at(KEYS_FILE)), { prefix, clock })),
      limits: createMemoryLimits(clock),
      quotas: stack.use(openFileQuotas(at('quotas.journal'), clock)),
      ring: stack.use(fileRing(at(SIGNING_KEYS_FILE))),
    }
  }
  return {
    keys: stack.use(await openKeyStore(memoryLog, { prefix, clock })),
    limits: createMemoryLimits(clock),
    quotas: createMemoryQuotas(clock),
    ring: memoryRing(),
  }
}
