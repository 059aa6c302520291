import { expect, test } from 'vitest'
import { startScanner } from '../../harness/scanner/scanner.ts'
import type { Answer } from '../../harness/model/http.ts'
import { forgeriesOf } from './forgeries.ts'
import { tellTheSame } from './same-answer.ts'

const answer = (body: string, status = 401): Answer => ({
  outcome: 'refused',
  status,
  headers: [],
  header: () => [],
  body,
  ms: 1,
  connection: 1,
})

const refusal = (id: string, time: string, text = 'not signed'): Answer =>
  answer(JSON.stringify({ detail: text, trace: { requestId: id, timestamp: time } }))

test('answers are compared without ids and times, however these fall', () => {
  const one = refusal('8b52753d-31ab-4901-84cd-fd105c507cd8', '2026-11-25T09:47:19.865Z')
  const other = refusal('f9058463-7c9f-4e57-8020-d5304fe989d5', '2026-11-25T09:47:20.001Z')

  expect(tellTheSame(one, other, [one, one])).toBe(true)
  expect(tellTheSame(one, { ...other, status: 404 }, [one, one])).toBe(false)
  expect(tellTheSame(one, refusal('a', 'b', 'a live key'), [one, other])).toBe(false)
  expect(tellTheSame(answer('{"known":true}'), answer('{"known":false}'), [one, other])).toBe(false)
  expect(tellTheSame(answer('red'), answer('blue'), [answer('green'), answer('yellow')])).toBe(true)
})

test('forgeries differ from a genuine alert, and name no token', async () => {
  await using scanner = await startScanner()
  const bench: Parameters<typeof forgeriesOf>[0] = {
    ...scanner,
    bodyOf: (...matches) => scanner.bodyOf('example', matches),
  }
  const body = bench.bodyOf({ token: 'a-token-of-a-test' })
  const genuine = JSON.stringify([body, scanner.headersFor(body).map(([name]) => name)])
  const forgeries = forgeriesOf(bench, 'a-token-of-a-test')

  expect(new Set(forgeries.map(([name]) => name)).size).toBe(forgeries.length)
  expect(forgeries.length).toBeGreaterThan(12)
  for (const [name, sent, headers] of forgeries) {
    expect(name).not.toContain('a-token')
    const lines = headers.map(([line]) => line)
    expect([JSON.stringify([sent, lines]) !== genuine, headers.length < 2, sent.length > 0]).toContain(true)
  }
})
