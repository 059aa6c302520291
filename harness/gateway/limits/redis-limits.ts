import type { Redis } from 'ioredis'
import type { Clock } from '../../clock/clock.ts'
import type { LimitStore, Taken } from '../policy.ts'
import { createScript } from './script.ts'

/**
 * KEYS: counters. ARGV: milliseconds that the callers' clock is ahead of its machine's; then for each counter its
 * limit, window and cost. A counter is a list of `MOMENT TOTAL`, oldest first, TOTAL being all that was ever used up
 * to that moment: what counts is the difference between both ends. The first item has left the window.
 */
const TAKE = `
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]

local function read(key, index)
  local item = redis.call('LINDEX', key, index)
  if not item then return nil end
  local moment, total = string.match(item, '^(%d+) (%d+)$')
  return tonumber(moment), tonumber(total)
end

local counters, all = {}, true
for i, key in ipairs(KEYS) do
  local limit, window, cost = tonumber(ARGV[i * 3 - 1]), tonumber(ARGV[i * 3]), tonumber(ARGV[i * 3 + 1])
  local newest, total = read(key, -1)
  -- Uses stay in their order where the clock of Redis is set back.
  local now = math.max(clock, newest or 0)
  local oldest = read(key, 1)
  while oldest and oldest + window <= now do
    redis.call('LPOP', key)
    oldest = read(key, 1)
  end
  local _, base = read(key, 0)
  local used = (total or 0) - (base or 0)
  local allowed = used + cost <= limit
  all = all and allowed
  counters[i] = { key = key, limit = limit, window = window, cost = cost, now = now, newest = newest,
    total = total or 0, base = base or 0, used = used, oldest = oldest, allowed = allowed }
end

local answer = {}
for _, c in ipairs(counters) do
  if all and c.cost > 0 then
    local item = string.format('%.0f %.0f', c.now, c.total + c.cost)
    if not c.newest then redis.call('RPUSH', c.key, '0 0') end
    if c.newest == c.now and c.oldest then redis.call('LSET', c.key, -1, item) else redis.call('RPUSH', c.key, item) end
    redis.call('PEXPIRE', c.key, c.window + c.now - clock + 1000)
    c.used = c.used + c.cost
    c.oldest = c.oldest or c.now
  end
  local retry = 0
  if not c.allowed then
    if c.cost > c.limit then
      retry = -1
    else
      -- The first use by which enough has left, mostly near the oldest. Totals grow: it can be found by halves.
      local due = c.base + c.used + c.cost - c.limit
      local low, high, last = 1, 1, redis.call('LLEN', c.key) - 1
      while high < last and select(2, read(c.key, high)) < due do
        low, high = high + 1, math.min(high * 2, last)
      end
      while low < high do
        local middle = math.floor((low + high) / 2)
        local _, total = read(c.key, middle)
        if total >= due then high = middle else low = middle + 1 end
      end
      retry = read(c.key, low) + c.window - c.now
    end
  end
  table.insert(answer, c.allowed and 1 or 0)
  table.insert(answer, math.max(0, c.limit - c.used))
  table.insert(answer, retry)
  table.insert(answer, c.oldest and c.oldest + c.window - c.now or 0)
end
return answer
`

/**
 * Counters in Redis, shared by all instances. Time is that of Redis, so that instances need not agree on theirs; a
 * clock that tests moved ahead of its machine moves it by as much.
 */
export function createRedisLimits(redis: Redis, clock: Clock): LimitStore {
  const take = createScript(redis, TAKE)
  return {
    async take(takes) {
      const answer = await take(
        takes.map(({ key }) => `limit:${key}`),
        [aheadMs(clock), ...takes.flatMap(({ rule, cost }) => [rule.limit, rule.windowMs, cost])],
      )
      const numbers = answer as readonly number[]
      return takes.map((_, nth): Taken => {
        const [allowed, remaining = 0, retryMs = 0, moreMs = 0] = numbers.slice(nth * 4, nth * 4 + 4)
        return { allowed: allowed === 1, remaining, retryMs: retryMs < 0 ? Number.POSITIVE_INFINITY : retryMs, moreMs }
      })
    },
  }
}

/** How far a clock was moved ahead of the machine's; 0 for the machine's own, also where it ticks between two looks. */
function aheadMs(clock: Clock): number {
  const before = Date.now()
  const nowMs = clock.nowMs()
  return nowMs >= before && nowMs <= Date.now() ? 0 : Math.round(nowMs - before)
}
