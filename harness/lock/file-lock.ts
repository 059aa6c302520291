import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { TrustspecError } from '../model/errors.ts'
import { isAlive } from './alive.ts'

/** Files that this process holds: its number alone may be that of a process that held one before a restart. */
const held = new Set<string>()

/** Marks a file as this process's own; gives the way to let go. Throws ERR_USAGE, with `instead`, when anybody has it. */
export function holdFile(file: string, instead: string): () => void {
  const lock = lockOf(file)
  const pid = holderOf(file)
  if (pid !== undefined) throw inUse(file, pid, instead)
  // A holder that was killed could not let go.
  removeStale(lock, file, instead)
  try {
    writeFileSync(lock, `${process.pid} ${startOf(process.pid)}`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw inUse(file, holderOf(file), instead)
    throw error
  }
  held.add(lock)
  return () => {
    held.delete(lock)
    rmSync(lock, { force: true })
  }
}

/** Number of the process that holds the file; undefined where none does. */
export function holderOf(file: string): number | undefined {
  const lock = lockOf(file)
  if (held.has(lock)) return process.pid
  const [pid = 0, start = ''] = existsSync(lock) ? entriesOf(lock) : []
  return pid > 0 && pid !== process.pid && isAlive(pid) && startOf(pid) === start ? pid : undefined
}

function lockOf(file: string): string {
  return path.resolve(`${file}.lock`)
}

function entriesOf(lock: string): readonly [pid: number, start: string] {
  const [pid = '', start = ''] = readFileSync(lock, 'utf8').split(' ')
  return [Number(pid), start]
}

/** Takes the lock of a dead process away; of two that try at once, one may find the other's, and gives it back. */
function removeStale(lock: string, file: string, instead: string): void {
  const aside = `${lock}.${process.pid}`
  try {
    renameSync(lock, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const [pid, start] = entriesOf(aside)
  if (pid !== process.pid && isAlive(pid) && startOf(pid) === start) {
    renameSync(aside, lock)
    throw inUse(file, pid, instead)
  }
  rmSync(aside, { force: true })
}

function inUse(file: string, pid: number | undefined, instead: string): TrustspecError {
  const holder = pid === undefined ? {} : { pid }
  return new TrustspecError('ERR_USAGE', 'The file is held by a process that runs', { file, ...holder, instead })
}

/** When a process began, in ticks since the machine did: numbers are given again. Empty where it cannot be known. */
function startOf(pid: number): string {
  try {
    // The fields begin behind the name, which may hold anything; the time is the 22nd of them, the name the second.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
