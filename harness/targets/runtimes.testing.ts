import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { findFaketime } from '../clock/faketime.ts'

/** What a test of a sample needs on the machine, and what is left out without it. */
const PROBES = {
  python: ['python3', ['-c', 'import venv, ensurepip'], 'python3 with its venv module'],
  // An older Go does not read the go.mod of the sample.
  go: ['go', ['list', '-m'], 'go as new as the sample needs it'],
  java: ['java', ['--version'], 'java'],
} as const

/** Where the probes run: in a module, for the sake of Go. */
const FOLDER = fileURLToPath(new URL('../../origins/go-golang-jwt/', import.meta.url))

/** Images that the tests of containers are built on; without them they would have to be pulled. */
const BASES = ['python:3.13-slim-trixie', 'node:24.21.0-trixie-slim', 'redis:8.0']

/** Whether a Docker engine runs here and has the base images; says once what is not tested for want of it. */
export function hasDocker(untested: string, images: readonly string[] = BASES): boolean {
  if (!succeeds('docker', ['version'])) return missing('a running Docker engine', untested)
  if (!succeeds('docker', ['compose', 'version'])) return missing('Docker Compose', untested)
  const absent = images.filter((image) => !succeeds('docker', ['image', 'inspect', image]))
  return (
    absent.length === 0 ||
    missing(`the image ${absent.join(', ')} (docker pull, or .ci/containers/stand-ins.sh)`, untested)
  )
}

function succeeds(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { cwd: FOLDER, stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const printed = new Set<string>()

/** Whether the machine has what a test needs; says once what is not tested for want of it. */
export function hasRuntime(name: 'node' | 'faketime' | keyof typeof PROBES, untested: string): boolean {
  if (name === 'node') return true
  if (name === 'faketime') return findFaketime() !== undefined || missing('libfaketime', untested)
  const [command, args, what] = PROBES[name]
  return succeeds(command, args) || missing(what, untested)
}

function missing(what: string, untested: string): false {
  const line = `Not tested here, because ${what} is missing: ${untested}.`
  if (!printed.has(line)) console.log(line)
  printed.add(line)
  return false
}
