import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { findHeadEnd, Source, takeLine } from './source.ts'

/** A source of what is written to the stream. */
function sourceOf() {
  const stream = new PassThrough({ highWaterMark: 64 * 1024 * 1024 })
  return { stream, source: new Source(stream as unknown as Socket) }
}

test('a sender is held back while nothing is taken, and goes on when something is wanted', async () => {
  const { stream, source } = sourceOf()
  stream.write(Buffer.alloc(2 * 1024 * 1024))
  expect(stream.isPaused()).toBe(true)
  stream.write('more')

  source.take(source.length)
  expect(await source.more()).toBe(true)
  expect(source.waiting.toString()).toBe('more')
})

test('takes lines up to the limit, whichever end they have', async () => {
  const { stream, source } = sourceOf()
  stream.end('a\nb\r\nlonger\r\n')

  expect((await takeLine(source, 100, '\r\n'))?.toString()).toBe('a\nb\r\n')
  expect(await takeLine(source, 5)).toBeUndefined()
  expect((await takeLine(source, 100))?.toString()).toBe('longer\r\n')
  expect(await takeLine(source, 100)).toBeUndefined()
})

test('finds the end of a head behind empty lines, at the end of the stream and at the limit', async () => {
  const { stream, source } = sourceOf()
  stream.write('\r\n\nGET / HTTP/1.1\r\n')
  const end = findHeadEnd(source, 1_000)
  stream.write('\r\nrest')
  expect(await end).toBe(21)
  expect(await findHeadEnd(source, 10)).toBe('too-large')
  source.take(21)
  stream.end()
  expect(await findHeadEnd(source, 1_000)).toBe('end')
})

test('what is discarded wakes whoever waits', async () => {
  const { stream, source } = sourceOf()
  const more = source.more()
  source.discard()
  stream.write('late')

  expect(await more).toBe(false)
  expect(source.length).toBe(0)
})
