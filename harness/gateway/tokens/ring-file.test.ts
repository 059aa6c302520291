import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { newRing } from './ring-changes.ts'
import { fileRing } from './ring-file.ts'
import { memoryRing } from './ring-store.ts'

async function inFolder(...names: readonly string[]): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-ring-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return path.join(folder, ...names)
}

const START = Date.UTC(2026, 0, 1)
const made = newRing('EdDSA', START)

async function written(file: string): Promise<void> {
  await using store = fileRing(file)
  await store.update(() => made)
}

test('what was written is there after a restart, for its owner alone', async () => {
  const file = await inFolder('keys', 'ring.json')
  await written(file)
  await using store = fileRing(file)

  expect(await store.read()).toEqual(made)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o700)
})

test('what a process left behind that was killed while it wrote does no harm', async () => {
  const file = await inFolder('ring.json')
  await written(file)
  await writeFile(`${file}.next`, '{"keys": [', { mode: 0o644 })
  await using store = fileRing(file)
  const other = newRing('ES256', START)
  expect(await store.read()).toEqual(made)
  await store.update(() => other)

  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(other)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('nothing is written where nothing changes', async () => {
  const file = await inFolder('ring.json')
  await written(file)
  const before = await stat(file)
  await using store = fileRing(file)
  await store.update((ring) => ring ?? made)

  expect((await stat(file)).ino).toBe(before.ino)
})

test('a second one is refused while the first has it', async () => {
  const file = await inFolder('ring.json')
  const first = fileRing(file)

  expect(() => fileRing(file)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }))
  await first[Symbol.asyncDispose]()
  await using second = fileRing(file)
  expect(await second.read()).toBeUndefined()
})

test('a failure to write is a rejection, and what was there counts', async () => {
  const file = await inFolder('keys', 'ring.json')
  await written(file)
  await using store = fileRing(file)
  // A folder in the place of the file that is to take the place of the other.
  await rm(`${file}.next`, { force: true })
  await chmod(path.dirname(file), 0o700)
  await rm(path.dirname(file), { recursive: true })

  await expect(store.update(() => newRing('ES256', START))).rejects.toMatchObject({ code: 'ENOENT' })
  expect(await store.read()).toEqual(made)
})

const [key, next] = made.keys

test.each<readonly [name: string, text: string]>([
  ['half a text', JSON.stringify(made).slice(0, 100)],
  ['no object', 'null'],
  ['no keys', '{"keys":[],"revoked":[]}'],
  ['no list of revoked keys', JSON.stringify({ keys: made.keys })],
  ['a key of another kid', JSON.stringify({ ...made, keys: [{ ...key, kid: next?.kid }] })],
  ['a public key', JSON.stringify({ ...made, keys: [{ ...key, jwk: { ...key?.jwk, d: undefined } }] })],
  ['an algorithm that is none', JSON.stringify({ ...made, keys: [{ ...key, alg: 'HS256' }] })],
  ['a time that is none', JSON.stringify({ ...made, keys: [{ ...key, dueMs: 'soon' }] })],
])('%s is refused, and not replaced by new keys', async (_, text) => {
  const file = await inFolder('ring.json')
  await writeFile(file, text)

  expect(() => fileRing(file)).toThrow(
    expect.objectContaining({ code: 'ERR_USAGE', fields: expect.objectContaining({ file }) }),
  )
  expect(await readFile(file, 'utf8')).toBe(text)
  // It is not held either: once it is mended it can be opened.
  await writeFile(file, JSON.stringify(made))
  await using store = fileRing(file)
  expect(await store.read()).toEqual(made)
})

test('in memory it is there as long as the process', async () => {
  await using store = memoryRing()
  expect(await store.read()).toBeUndefined()
  await store.update(() => made)
  expect(await store.read()).toBe(made)
})
