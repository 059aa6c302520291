import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { TrustspecError } from '../model/errors.ts'
import { cacheFolder } from './cache.ts'

const run = promisify(execFile)

/** Path of the binary of the Go origin in the folder, built on first use and again when a source or Go changes. */
export async function installGo(folder: string, onProgress: (line: string) => void): Promise<string> {
  const hash = createHash('sha256')
    .update(JSON.stringify([await goVersion(folder), ...sourcesOf(folder)]))
    .digest('hex')
    .slice(0, 16)
  const binary = path.join(cacheFolder('go'), hash, 'origin')
  if (existsSync(binary)) return binary
  onProgress(`Building ${path.basename(folder)} (first use, takes a minute)`)
  await mkdir(path.dirname(binary), { recursive: true })
  // Moved into place when it is whole, so that a build that was cut off or runs twice does no harm.
  const unfinished = `${binary}.${randomUUID()}`
  await build(folder, unfinished)
  await rename(unfinished, binary)
  return binary
}

/** What the binary is made of, as pairs of name and text. */
function sourcesOf(folder: string): readonly (readonly [name: string, text: string])[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.go') || name === 'go.mod' || name === 'go.sum')
    .toSorted()
    .map((name) => [name, readFileSync(path.join(folder, name), 'utf8')])
}

/** Version and platform; asked in the folder, whose go.mod may choose another toolchain. */
async function goVersion(cwd: string): Promise<string> {
  try {
    const { stdout } = await run('go', ['version'], { cwd })
    return stdout.trim()
  } catch (error) {
    throw new TrustspecError(
      'ERR_RUNTIME_MISSING',
      'This origin needs Go, which is not there',
      {
        instead:
          'install it in the version that go.mod names or a later one, on Debian with: apt-get install golang-go',
      },
      { cause: error },
    )
  }
}

async function build(cwd: string, binary: string): Promise<void> {
  // Without cgo it needs no C compiler, and without a workspace or a repository around it, it stands alone.
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' }
  try {
    await run('go', ['build', '-trimpath', '-buildvcs=false', '-o', binary, '.'], { cwd, env })
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
    throw new TrustspecError(
      'ERR_INSTALL_FAILED',
      'The origin cannot be built',
      {
        folder: path.basename(cwd),
        output: output.trim().slice(-400),
        instead: 'check that the module proxy can be reached, and that Go is as new as go.mod demands',
      },
      { cause: error },
    )
  }
}
