import { expect, test } from 'vitest'
import { networkOf } from './address.ts'
import { rateLimitFields, seconds } from './fields.ts'
import { isStatusIn, statusList } from './statuses.ts'

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:DB8:0:0:1::1', '2001:db8:0:0::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', ''],
])('the network of %s is %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})

test.each([
  [0, 1],
  [1, 1],
  [1_000, 1],
  [1_001, 2],
  [60_000, 60],
])('%i ms are %i seconds', (ms, due) => {
  expect(seconds(ms)).toBe(due)
})

test('fields hold what a structured field may, and no caller', () => {
  const counted = {
    label: 'naïve "\\',
    rule: { limit: 1e16, windowMs: 60 },
    taken: { allowed: true, remaining: 1e16, retryMs: 0, moreMs: 0 },
  }
  const [policy, limit] = rateLimitFields('alice', [counted], [counted]).map(([, value]) => value)
  expect(policy).toMatch(/^"na\?ve \\"\\\\";q=999999999999999;w=1;pk=:[\w+/]{12}:$/u)
  expect(limit).toMatch(/^"na\?ve \\"\\\\";r=999999999999999;pk=:[\w+/]{12}:$/u)
  expect(rateLimitFields('', [counted], [counted]).flat().join('')).not.toContain('pk')
})

test.each([
  ['200-299', [200, 299], [199, 300]],
  ['200-299, 404', [200, 404], [403, 405]],
  [' 200 - 201 ,304', [200, 201, 304], [202]],
  ['101', [101], [200]],
])('statuses %j', (list, within, beyond) => {
  expect(statusList(list)).toBeUndefined()
  expect(within.map(isStatusIn(list))).not.toContain(false)
  expect(beyond.map(isStatusIn(list))).not.toContain(true)
})

test.each(['', '2xx', '*', '200-', '299-200', '600', '20', '200;201', 200])('%j is no list of statuses', (list) => {
  expect(statusList(list)).toBe('a list of status codes and ranges such as "200-299, 404"')
})
