import { expect, test } from 'vitest'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import kidRotation from '../../suites/origin/kid-rotation.ts'
import signature from '../../suites/origin/signature.ts'
import type { JournalEntry } from '../issuer/journal.ts'
import type { CaseResult } from '../model/result.ts'
import { runOrigin } from '../runner/run.ts'
import { embeddedTarget } from '../targets/embedded.ts'
import { faultSays, fetchSays, Timeline, told } from './timeline.ts'

test('what happened comes in order of time, and what is alike in a row is one', () => {
  const now = Date.now()
  const timeline = new Timeline()
  timeline.note('clock', 'moved', now + 40)
  timeline.note('fetch', 'fetched', now + 30)
  timeline.note('fetch', 'fetched', now + 20)
  timeline.note('keys', 'new', now - 10_000)
  timeline.close()
  timeline.note('restart', 'undone')

  expect(timeline.entries().map(({ kind, says }) => [kind, says])).toEqual([
    ['keys', 'new'],
    ['fetch', 'fetched, 2 times in a row'],
    ['clock', 'moved'],
  ])
  expect(timeline.entries()[0]?.atMs).toBe(0)
})

test('a timeline without end is cut, and says so', () => {
  const timeline = new Timeline()
  for (let at = 0; at < 130; at += 1) timeline.note('fetch', `fetch ${at}`, Date.now() + at)

  expect(timeline.entries()).toHaveLength(101)
  expect(timeline.entries().at(-1)?.says).toBe('and 30 more')
})

test.each<readonly [Partial<JournalEntry>, string]>([
  [{ endpoint: 'jwks', served: 'document', status: 200 }, 'the JWKS is fetched: status 200'],
  [{ endpoint: 'jwks', served: 'refuse', status: 0 }, 'the JWKS is fetched: no status (refuse)'],
  [{ endpoint: 'discovery', served: 'document', status: 200 }, 'the metadata of the issuer is fetched: status 200'],
  [
    { endpoint: 'other', target: '/secret', served: 'document', status: 404 },
    'something else of the issuer is fetched: status 404',
  ],
])('a fetch: %j', (entry, says) => {
  expect(fetchSays(entry as JournalEntry)).toBe(says)
})

test('a fault says what it does, not what it serves', () => {
  expect(faultSays({ status: 500, body: 'secret' }, 'jwks')).toBe(
    'the JWKS from now on: answers with status 500, has another body',
  )
  expect(faultSays({ name: 'hang', hang: true, delayMs: 5, etag: false }, 'discovery')).toBe(
    'the metadata of the issuer from now on: hang, hangs, waits 5 ms, sends no ETag',
  )
  expect(faultSays({}, 'jwks')).toBe('the JWKS from now on: scripted')
  expect(told(98.1449)).toBe('98.1 s')
})

test('a stateful case tells its keys, clocks and fetches; others tell nothing', async () => {
  const report = await runOrigin({
    suites: [signature, kidRotation],
    select: { cases: ['control-valid', 'new-kid-picked-up'] },
    start: embeddedTarget,
    profile: {},
    control: { kind: 'issuer', port: 0, keys: embeddedKeys() },
    seed: 1,
    deadlineMs: 2_000,
    on: () => undefined,
    signal: new AbortController().signal,
  })
  const [still, stateful] = report.cases
  const kinds = ({ timeline = [] }: CaseResult): readonly string[] => timeline.map(({ kind }) => kind)

  expect(still).not.toHaveProperty('timeline')
  expect(stateful?.verdict).toBe('pass')
  const told = stateful ? kinds(stateful) : []
  expect(new Set(told)).toEqual(new Set(['keys', 'clock', 'fetch']))
  // A key is published, its cooldown passes, and only then the origin fetches it.
  expect(told.indexOf('keys')).toBeLessThan(told.lastIndexOf('clock'))
  expect(told.lastIndexOf('clock')).toBeLessThan(told.lastIndexOf('fetch'))
})
