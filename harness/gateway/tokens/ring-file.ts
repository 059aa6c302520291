import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { holdFile } from '../../lock/file-lock.ts'
import { syncFolder } from '../journal.ts'
import type { Ring } from './ring.ts'
import { parsedRing } from './ring-store.ts'
import type { RingStore } from './ring-store.ts'

/**
 * Keeps the ring in a file that only its owner can read. It is replaced as a whole and is on the disk before anything
 * is signed with it. Throws ERR_USAGE when another process has it, or when what it holds is no ring.
 */
export function fileRing(file: string): RingStore {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  const release = holdFile(file, 'another folder, or Redis, which instances can share')
  let text = ''
  let ring: Ring | undefined
  try {
    text = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
    ring = text === '' ? undefined : parsedRing(text, { file })
  } catch (error) {
    release()
    throw error
  }
  return {
    read: () => Promise.resolve(ring),
    // eslint-disable-next-line require-await -- what the file system throws is a rejection
    async update(change) {
      const next = change(ring)
      const nextText = JSON.stringify(next)
      if (nextText !== text) replaceFile(file, nextText)
      text = nextText
      ring = next
      return next
    },
    watch: () => Promise.resolve(),
    [Symbol.asyncDispose]() {
      release()
      return Promise.resolve()
    },
  }
}

function replaceFile(file: string, text: string): void {
  const next = `${file}.next`
  // One that was left behind may have been made for others to read.
  rmSync(next, { force: true })
  const descriptor = openSync(next, 'wx', 0o600)
  try {
    writeSync(descriptor, `${text}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(next, file)
  syncFolder(path.dirname(file))
}
