import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { TrustspecError } from '../model/errors.ts'

const run = promisify(execFile)

/** Path of the jar of the Maven project in the folder, built on first use and again when a source changes. */
export async function installJava(folder: string, onProgress: (line: string) => void): Promise<string> {
  const sources = sourcesOf(folder)
  const hash = createHash('sha256').update(JSON.stringify(sources)).digest('hex').slice(0, 16)
  const cache = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'trustspec', 'java')
  const jar = path.join(cache, hash, 'gateway.jar')
  if (existsSync(jar)) return jar
  onProgress(`Building ${path.basename(folder)} (first use, takes a minute)`)
  // Built in a copy, and moved into place when it is whole.
  const copy = path.join(cache, `${hash}.${randomUUID()}`)
  try {
    await mkdir(path.dirname(jar), { recursive: true })
    for (const [name] of sources) cpSync(path.join(folder, name), path.join(copy, name))
    await build(copy, path.basename(folder))
    await rename(path.join(copy, 'target', 'gateway.jar'), jar)
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
  return jar
}

/** What the jar is made of, as pairs of name and text. */
function sourcesOf(folder: string): readonly (readonly [name: string, text: string])[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name === 'pom.xml' || name.endsWith('.java'))
    .toSorted()
    .map((name) => [name, readFileSync(path.join(folder, name), 'utf8')])
}

async function build(cwd: string, name: string): Promise<void> {
  try {
    await run('mvn', ['--quiet', '--batch-mode', 'package'], { cwd })
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : ''
    throw new TrustspecError(
      'ERR_INSTALL_FAILED',
      'The gateway cannot be built',
      { folder: name, output: output.trim().slice(0, 400), instead: 'check that the package registry can be reached' },
      { cause: error },
    )
  }
}
