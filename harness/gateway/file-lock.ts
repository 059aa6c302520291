import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { TrustspecError } from '../model/errors.ts'

/** Files that this process holds: its number alone may be that of a process that held one before a restart. */
const held = new Set<string>()

/** Marks a file as this process's own; gives the way to let go. Throws ERR_USAGE, with `instead`, when anybody has it. */
export function holdFile(file: string, instead: string): () => void {
  const lock = path.resolve(`${file}.lock`)
  if (held.has(lock)) throw inUse(file, process.pid, instead)
  const holder = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0
  if (holder > 0 && holder !== process.pid && isAlive(holder)) throw inUse(file, holder, instead)
  // A holder that was killed could not let go.
  rmSync(lock, { force: true })
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw inUse(file, Number(readFileSync(lock, 'utf8')), instead)
    }
    throw error
  }
  held.add(lock)
  return () => {
    held.delete(lock)
    rmSync(lock, { force: true })
  }
}

function inUse(file: string, pid: number, instead: string): TrustspecError {
  return new TrustspecError('ERR_USAGE', 'The file is held by a process that runs', { file, pid, instead })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
