import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { TrustspecError } from '../model/errors.ts'
import { alone } from '../lock/alone.ts'
import { cacheFolder } from './cache.ts'

const run = promisify(execFile)

/** The Python of a virtual environment with the pinned requirements of the folder, made on first use. */
export async function installPython(folder: string, onProgress: (line: string) => void): Promise<string> {
  const version = await pythonVersion()
  const requirements = readFileSync(path.join(folder, 'requirements.txt'), 'utf8')
  const hash = createHash('sha256').update(`${version}\n${requirements}`).digest('hex').slice(0, 16)
  const environment = path.join(cacheFolder('python'), hash)
  const python = path.join(environment, 'bin', 'python')
  // Written last, so that an environment that was cut off is made anew.
  const complete = path.join(environment, 'complete')
  if (existsSync(complete)) return python
  await mkdir(path.dirname(environment), { recursive: true })
  await alone(environment, async () => {
    if (existsSync(complete)) return
    onProgress(`Making a virtual environment for ${path.basename(folder)} (first use, takes a minute)`)
    await rm(environment, { recursive: true, force: true })
    try {
      await run('python3', ['-m', 'venv', environment])
    } catch (error) {
      throw new TrustspecError(
        'ERR_RUNTIME_MISSING',
        'Python cannot make a virtual environment',
        { instead: 'install the venv module, on Debian with: apt-get install python3-venv' },
        { cause: error },
      )
    }
    onProgress('Installing the pinned requirements')
    await install(
      python,
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', 'requirements.txt'],
      folder,
    )
    await writeFile(complete, '')
  })
  return python
}

async function pythonVersion(): Promise<string> {
  try {
    const { stdout } = await run('python3', ['-c', 'import sys; print(sys.version)'])
    return stdout.trim()
  } catch (error) {
    throw new TrustspecError(
      'ERR_RUNTIME_MISSING',
      'This origin needs Python 3, which is not there',
      { instead: 'install it, on Debian with: apt-get install python3 python3-venv' },
      { cause: error },
    )
  }
}

/** Installs the locked packages of the folder on first use. */
export async function installNode(folder: string, onProgress: (line: string) => void): Promise<void> {
  const complete = path.join(folder, 'node_modules', '.package-lock.json')
  if (existsSync(complete)) return
  await alone(path.join(folder, 'packages'), async () => {
    if (existsSync(complete)) return
    onProgress(`Installing the packages of ${path.basename(folder)} (first use)`)
    await install('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], folder)
  })
}

async function install(command: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await run(command, args, { cwd })
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
    throw new TrustspecError(
      'ERR_INSTALL_FAILED',
      'The packages of the origin cannot be installed',
      {
        folder: path.basename(cwd),
        output: output.trim().slice(-400),
        instead: 'check that the package registry can be reached',
      },
      { cause: error },
    )
  }
}
