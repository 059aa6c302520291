import type { Redis } from 'ioredis'
import type { Clock } from '../../clock/clock.ts'
import type { QuotaStore } from '../policy.ts'
import { amountOf } from './meters.ts'
import { createScript } from './script.ts'

/** KEYS: anchor. ARGV: the anchor if there is none yet. */
const ANCHOR = `
redis.call('SETNX', KEYS[1], ARGV[1])
return redis.call('GET', KEYS[1])
`

/**
 * KEYS: use of a key, a hash with the start of its period under '' and each meter under 'm:NAME'. ARGV: start,
 * milliseconds to keep it, then for each meter its name, amount and allowance, that empty where there is none.
 * An earlier start comes of a clock that is behind: it must not begin a period anew that is under way.
 */
const RESERVE = `
local key = KEYS[1]
local start = redis.call('HGET', key, '')
local isNew = not start or tonumber(start) < tonumber(ARGV[1])
if isNew then start = ARGV[1] end
local used = isNew and {} or redis.call('HGETALL', key)
local allowed = 1
for i = 3, #ARGV, 3 do
  local before = isNew and 0 or tonumber(redis.call('HGET', key, 'm:' .. ARGV[i]) or 0)
  local allowance = tonumber(ARGV[i + 2])
  if allowance and (before >= allowance or before + tonumber(ARGV[i + 1]) > allowance) then allowed = 0 end
end
if allowed == 1 then
  if isNew then
    redis.call('DEL', key)
    redis.call('HSET', key, '', start)
    redis.call('PEXPIRE', key, ARGV[2])
  end
  for i = 3, #ARGV, 3 do
    if tonumber(ARGV[i + 1]) ~= 0 then redis.call('HINCRBYFLOAT', key, 'm:' .. ARGV[i], ARGV[i + 1]) end
  end
end
return { allowed, start, used }
`

/** KEYS: use of a key. ARGV: start, then for each meter its name and amount. */
const ADD = `
if redis.call('HGET', KEYS[1], '') ~= ARGV[1] then return end
for i = 2, #ARGV, 2 do
  if tonumber(ARGV[i + 1]) ~= 0 then redis.call('HINCRBYFLOAT', KEYS[1], 'm:' .. ARGV[i], ARGV[i + 1]) end
end
`

/** Milliseconds that a period is kept beyond its end, for instances whose clocks are behind. */
const SPARE_MS = 60_000

/** Counters of quotas in Redis, shared by all instances; they last as well as Redis itself is made to. */
export function createRedisQuotas(redis: Redis, clock: Clock): QuotaStore {
  const anchor = createScript(redis, ANCHOR)
  const reserve = createScript(redis, RESERVE)
  const add = createScript(redis, ADD)
  return {
    async anchor(key, anchorMs) {
      return Number(await anchor([`quota-anchor:${key}`], [anchorMs]))
    },
    async reserve({ key, startMs, endMs, meters, allowances }) {
      const names = new Set([...Object.keys(meters), ...Object.keys(allowances)])
      const rows = [...names].flatMap((name) => [
        name,
        amountOf(meters, name),
        Object.hasOwn(allowances, name) ? (allowances[name] ?? '') : '',
      ])
      const keepMs = Math.ceil(Math.max(0, endMs - clock.nowMs()) + SPARE_MS)
      const answer = await reserve([`quota:${key}`], [startMs, keepMs, ...rows])
      const [allowed, start, fields] = answer as readonly [number, string, readonly string[]]
      const used: [string, number][] = []
      for (let at = 0; at < fields.length; at += 2) {
        const name = fields[at] ?? ''
        if (name !== '') used.push([name.slice(2), Number(fields[at + 1])])
      }
      return { allowed: allowed === 1, startMs: Number(start), used: Object.fromEntries(used) }
    },
    async add(key, startMs, meters) {
      await add([`quota:${key}`], [startMs, ...Object.entries(meters).flat()])
    },
  }
}
