import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { bundledOrigin } from '../../targets/bundled.ts'
import { freePort } from '../../targets/guarded.ts'
import { hasRuntime } from '../../targets/runtimes.testing.ts'
import { judgeOrigin } from './judge.ts'
import { processLauncher } from './launch.ts'
import { readReaderFile } from './reader-file.ts'
import { NAMED } from './variants.ts'

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))

/** A host that does not exist (RFC 6761 section 6.4). */
const ISSUER = 'https://my-api.invalid/__zuplo/issuer'

const FIRST_USE_MS = 240_000

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'trustspec-reader-'))
  onTestFinished(() => rm(made, { recursive: true, force: true }))
  return made
}

/** A file with this text. */
async function fileWith(text: string): Promise<string> {
  const file = path.join(await folder(), 'my_api.py')
  await writeFile(file, text)
  return file
}

/** A sample in the shape of the page: issuer and port stand in the code. */
async function hardCoded(name: string, port: number, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const made = await folder()
  await cp(bundledOrigin(name).folder, made, { recursive: true })
  const file = path.join(made, 'app.py')
  const constants = { ISSUER: JSON.stringify(ISSUER), PORT: String(port), ...more }
  let text = await readFile(file, 'utf8')
  for (const [constant, value] of Object.entries({ ...constants, JWKS_URL: 'f"{ISSUER}/.well-known/jwks.json"' })) {
    expect(text).toMatch(new RegExp(`^${constant} = `, 'mu'))
    text = text.replace(new RegExp(`^${constant} = .*$`, 'mu'), `${constant} = ${value}`)
  }
  await writeFile(file, text)
  return file
}

describe('what stands in a file is found', () => {
  test('issuer, JWKS URL and port as literals, no audience', async () => {
    const file = await fileWith(
      `ISSUER = "${ISSUER}"\nJWKS_URL = f"{ISSUER}/.well-known/jwks.json"\napp.listen(8899)  # app.listen(1)\n`,
    )

    expect(await readReaderFile(file, {})).toMatchObject({
      known: { issuer: ISSUER, jwksUrl: `${ISSUER}/.well-known/jwks.json` },
      audience: null,
      program: { port: 8899, file: 'my_api.py', folder: path.dirname(file) },
    })
  })

  test('an audience, a JWKS URL of its own, and a port that may be set from outside', async () => {
    const file = await fileWith(
      [
        `ISSUER = '${ISSUER}'`,
        'JWKS_URL = "https://keys.invalid/jwks"',
        'PORT = int(os.environ.get("PORT", "8888"))',
        'jwt.decode(token, key, audience="https://orders.example.com")',
        'app.listen(PORT)',
      ].join('\n'),
    )
    const found = await readReaderFile(file, {})

    expect(found).toMatchObject({
      known: { issuer: ISSUER, jwksUrl: 'https://keys.invalid/jwks' },
      audience: 'https://orders.example.com',
    })
    expect(found.program.port).toBeUndefined()
  })

  test('what is given wins', async () => {
    const file = await fileWith('AUDIENCE = "one"\n')

    expect(await readReaderFile(file, { issuer: ISSUER, audience: 'other' })).toMatchObject({
      known: { issuer: ISSUER },
      audience: 'other',
    })
  })

  test.each([
    ['none', 'app.listen(8888)\n'],
    ['one without TLS', `ISSUER = "${ISSUER.replace('https', 'http')}"\n`],
    ['one at another path', 'ISSUER = "https://my-api.invalid/other"\n'],
  ])('an issuer that cannot be stood for is an error: %s', async (_, text) => {
    await expect(readReaderFile(await fileWith(text), {})).rejects.toMatchObject({ code: 'ERR_USAGE' })
  })
})

const UNTESTED = 'that a file with a hard-coded issuer is judged as it is'
describe.runIf(hasRuntime('python', UNTESTED))('a file in the shape of the page', () => {
  test('answers 500 to a valid token, and the error is shown', { timeout: FIRST_USE_MS }, async () => {
    const file = await hardCoded('tornado-as-published', await freePort())
    const given = [MAIN, 'tutorial', '--yes', '--app', file]
    const { stdout } = await promisify(execFile)(process.execPath, given, { cwd: await folder() })
    const text = stdout.replaceAll(/\s+/gu, ' ')
    const error = "AttributeError: module 'jose.jwt' has no attribute 'algorithms'"

    expect(text).toContain(`A valid token is answered with 500: ${error}`)
    expect(text).toContain(`A valid token is answered with 500; the origin logged: ${error}`)
    expect(text).toContain('origin/signature/control-valid fail-crash')
  })

  test('that is better gets better verdicts', { timeout: FIRST_USE_MS }, async () => {
    const file = await hardCoded('tornado-hardened', await freePort(), { AUDIENCE: '"https://own.example.com"' })
    const { program, known, audience } = await readReaderFile(file, {})
    const profile = { audience, algorithms: ['RS256'], jwks: { maxAgeSec: 600, cooldownSec: 10 } } as const
    const question = { program, known, profile, cases: NAMED }
    const { cases } = await judgeOrigin(processLauncher(console.log), question, new AbortController().signal)
    const judged = cases.filter(({ verdict }) => verdict !== 'skip')

    expect(judged.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual(judged.map(({ id }) => `${id} pass`))
    expect(judged.length).toBeGreaterThan(3)
  })

  test('whose port is taken is an error, before anything is made', async () => {
    const port = await freePort()
    const server = createServer().listen(port, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const file = await hardCoded('tornado-as-published', port)
    const cwd = await folder()
    const run = promisify(execFile)(process.execPath, [MAIN, 'tutorial', '--yes', '--app', file], { cwd })

    await expect(run).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        `ERR_PORT_IN_USE: The port that the origin has in its code is taken (port ${port})`,
      ),
    })
    expect(readdirSync(cwd)).toEqual([])
  })
})
