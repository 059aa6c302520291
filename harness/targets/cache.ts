import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'

/** Folder of the user's cache for one kind of things. */
export function cacheFolder(kind: string): string {
  return path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'trustspec', kind)
}

/** What is made in a folder by running it. */
const MADE = /^(?:node_modules|__pycache__)$/u

/**
 * A copy of the folder in the cache, one for each state of its files: there packages can be installed and TypeScript
 * runs, as neither does inside node_modules.
 */
export async function workingCopy(folder: string): Promise<string> {
  const copy = path.join(cacheFolder('copies'), hashOf(folder), path.basename(folder))
  if (existsSync(copy)) return copy
  // Moved into place when it is whole, so that a copy that was cut off or made twice does no harm.
  const unfinished = path.join(cacheFolder('copies'), randomUUID())
  await mkdir(path.dirname(copy), { recursive: true })
  await cp(folder, unfinished, {
    recursive: true,
    filter: (from) => from === folder || !MADE.test(path.basename(from)),
  })
  try {
    await rename(unfinished, copy)
  } catch (error) {
    await rm(unfinished, { recursive: true })
    if (!existsSync(copy)) throw error
  }
  return copy
}

function hashOf(folder: string): string {
  const hash = createHash('sha256')
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((name) => !name.split(path.sep).some((part) => MADE.test(part)))
  for (const name of names.toSorted()) {
    hash.update(JSON.stringify([name, readFileSync(path.join(folder, name), 'base64')]))
  }
  return hash.digest('hex').slice(0, 16)
}
