import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, MAIN } from '../cli/cli.testing.ts'
import { REFERENCE_PROFILE } from '../origin/profile.ts'

const ORIGIN = fileURLToPath(new URL('./origin.testing.ts', import.meta.url))
const NODE = JSON.stringify(process.execPath)

/** A PATH on which `npx --yes trustspec@VERSION` is this checkout, and node the one that runs the tests. */
export async function pathWithNpx(folder: string): Promise<string> {
  const script = `#!/bin/sh
case "$1 $2" in
  '--yes trustspec@'*) shift 2; exec ${NODE} ${JSON.stringify(MAIN)} "$@" ;;
  *) echo "npx $* is not expected" >&2; exit 99 ;;
esac
`
  await mkdir(path.join(folder, 'bin'))
  await writeFile(path.join(folder, 'bin/npx'), script, { mode: 0o755 })
  return [path.join(folder, 'bin'), path.dirname(process.execPath), process.env['PATH']].join(':')
}

/** A command that starts the reference origin, told by PORT, ISSUER and JWKS_URL. */
export const REFERENCE = `exec ${NODE} ${ORIGIN}`

/** What that origin declares, as a configuration has it. */
export const REFERENCE_CONFIG = { subject: 'origin', ...REFERENCE_PROFILE }

/** A command that starts an origin which answers 200 to all, at the port behind it. */
export const TRUSTING = `${NODE} -e "require('node:http').createServer((_, answer) => answer.end('welcome')).listen(Number(process.argv[1]), '127.0.0.1')"`

/** How the reference origin is started beside an issuer, and tested with REFERENCE_CONFIG. */
export async function besideIssuer() {
  const [port, issuerPort] = [await freePort(), await freePort()]
  const issuer = `http://127.0.0.1:${issuerPort}/__zuplo/issuer`
  return {
    start: `export PORT=${port} ISSUER=${issuer} JWKS_URL=${issuer}/.well-known/jwks.json; ${REFERENCE}`,
    url: `http://127.0.0.1:${port}/protected`,
    waitFor: `http://127.0.0.1:${port}/health`,
    flags: `--issuer-port ${issuerPort} --case iss-wrong`,
  }
}
