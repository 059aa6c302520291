import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Report } from '../model/result.ts'
import { startReferenceOrigin } from '../origin/server.ts'
import { CHAINED_PROFILE } from '../origin/profile.ts'
import { freePort, gatewayProcess, MAIN, ownFolder, trustspec } from './cli.testing.ts'
import type { Ended } from './cli.testing.ts'

const DOCUMENT = fileURLToPath(new URL('../../fixtures/openapi/reference-origin.json', import.meta.url))
const CASES = ['--case', 'gateway/key-auth/control-valid,gateway/key-auth/missing']

/** Our own gateway as somebody else would run it: a process that forwards to a port, with keys of two consumers. */
async function ownGateway(origin: string) {
  const folder = await ownFolder()
  const args = ['--openapi', DOCUMENT, '--origin', origin, '--requests-per-minute', '0', '--access-log', 'off']
  const told = await gatewayProcess(folder, [...args, '--state', 'state'])
  const keyOf = async (consumer: string): Promise<string> =>
    (await trustspec(folder, ['keys', 'create', '--consumer', consumer, '--state', 'state'])).out.trim()
  return {
    folder,
    url: `${told.get('gateway')}/protected`,
    issuer: told.get('issuer') ?? '',
    management: told.get('management')?.split(',')[0] ?? '',
    keys: [await keyOf('acme'), await keyOf('globex')] as const,
  }
}

async function reportOf(folder: string): Promise<Report> {
  return JSON.parse(await readFile(path.join(folder, 'report.json'), 'utf8')) as Report
}

test('a gateway by URL, with keys from the environment, the JWKS and the capture origin', async () => {
  const port = await freePort()
  const { folder, url, issuer, keys } = await ownGateway(`http://127.0.0.1:${port}`)
  const flags = ['--as', 'gateway', '--capture-port', String(port), '--jwks-url', `${issuer}/.well-known/jwks.json`]
  const declared = ['--issuer', issuer, '--audience', `http://127.0.0.1:${port}`, '--json', 'report.json', ...CASES]
  const env = { TRUSTSPEC_API_KEY: keys[0], TRUSTSPEC_API_KEY_2: keys[1] }
  const { code, out, err } = await trustspec(folder, ['run', url, ...flags, ...declared], env)
  const report = await reportOf(folder)

  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toContain(`2 cases against the gateway at ${url}, with 2 API keys, forwarding to the capture origin`)
  expect(out).toContain(`The origin of the gateway has to be http://127.0.0.1:${port}\n`)
  expect(report).toMatchObject({ subject: 'gateway', target: { kind: 'url', url }, summary: { pass: 2 } })
  expect(report.capabilities).toEqual(
    expect.arrayContaining(['capture', 'second-consumer', 'jwks', 'issuer', 'audience']),
  )
  for (const key of keys) expect(out + JSON.stringify(report)).not.toContain(key)
})

test('keys from a file; findings have the words of gateways, and a curl line without the key', async () => {
  const { folder, url, keys } = await ownGateway('http://127.0.0.1:1')
  await writeFile(path.join(folder, 'keys.txt'), `# of acme\n${keys[0]}\n\n`)
  const { code, out } = await trustspec(folder, ['run', url, '--as', 'gateway', '--api-key-file', 'keys.txt', ...CASES])

  expect(code).toBe(1)
  expect(out).toContain('with 1 API key, forwarding to an origin of its own')
  expect(out).toContain('The gateway forwards a request with a valid key')
  expect(out).toMatch(/curl -i .*"\$API_KEY"/u)
  expect(out).not.toContain(keys[0])
})

test('a configuration in the folder is found, and its hooks issue the keys', async () => {
  const port = await freePort()
  const { folder, url, issuer, management } = await ownGateway(`http://127.0.0.1:${port}`)
  const credential = (await readFile(path.join(folder, 'state/management-key'), 'utf8')).trim()
  await writeFile(
    path.join(folder, 'trustspec.config.ts'),
    `import { defineGateway } from 'trustspec'
    import type { HttpHook } from 'trustspec/config'

    const api = '${management}'
    const headers = { Authorization: 'Bearer \${ADMIN_KEY}' }
    const revokeKey: HttpHook = { url: \`\${api}/key-buckets/default/consumers/\\\${CONSUMER}/keys/\\\${ID}\`, method: 'DELETE', headers }

    export default defineGateway({
      url: '${url}',
      capturePort: ${port},
      issuer: '${issuer}',
      jwksUrl: '${issuer}/.well-known/jwks.json',
      hooks: {
        issueKey: {
          url: \`\${api}/key-buckets/default/consumers?with-api-key=true\`,
          headers,
          body: { name: '\${CONSUMER}' },
          result: { key: '/apiKeys/0/key', id: '/apiKeys/0/id' },
        },
        revokeKey,
        rotateSigningKey: { url: \`\${api}/signing-keys/rotate\`, headers },
      },
    })
    `,
  )
  const run = (env: NodeJS.ProcessEnv): Promise<Ended> =>
    trustspec(folder, ['run', '--json', 'report.json', ...CASES], env)
  const { code, out, err } = await run({ ADMIN_KEY: credential })
  const report = await reportOf(folder)
  const unset = await run({})

  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toContain('Configuration: trustspec.config.ts\n')
  expect(out).toContain('with keys of a hook')
  expect(report.capabilities).toEqual(
    expect.arrayContaining(['issue-key', 'revoke-key', 'rotate-signing-key', 'revoked-key']),
  )
  expect(out + JSON.stringify(report)).not.toContain(credential)
  expect(unset.code).toBe(2)
  expect(unset.err).toMatch(
    /^ERR_USAGE: The hook issueKey failed: POST .*: the variable ADMIN_KEY is not set; instead: .*\.\n$/u,
  )
})

test('what was taken down is put up again when the run is interrupted', async () => {
  const port = await freePort()
  const { folder, url, issuer, keys } = await ownGateway(`http://127.0.0.1:${port}`)
  const hooks = { keyStoreDown: { down: 'touch is-down; sleep 30', up: 'rm is-down; touch is-up' } }
  await writeFile(
    path.join(folder, 'trustspec.config.json'),
    JSON.stringify({
      subject: 'gateway',
      url,
      capturePort: port,
      jwksUrl: `${issuer}/.well-known/jwks.json`,
      hooks,
    }),
  )
  const child = spawn(process.execPath, [MAIN, 'run', '--case', 'key-store-down'], {
    cwd: folder,
    env: { ...process.env, TRUSTSPEC_API_KEY: keys[0] },
    stdio: 'ignore',
  })
  const closed = once(child, 'close')
  await expect.poll(() => existsSync(path.join(folder, 'is-down')), { timeout: 20_000 }).toBe(true)
  child.kill('SIGINT')

  expect(await closed).toEqual([130, null])
  expect(['is-down', 'is-up'].map((name) => existsSync(path.join(folder, name)))).toEqual([false, true])
})

test('a gateway and its origin by URL, with the tap between them', async () => {
  const [tap, proxy] = [await freePort(), await freePort()]
  const { folder, url, issuer, keys } = await ownGateway(`http://127.0.0.1:${tap}`)
  await using origin = await startReferenceOrigin({
    issuer,
    jwksUrl: `http://127.0.0.1:${proxy}${new URL(issuer).pathname}/.well-known/jwks.json`,
    audience: `http://127.0.0.1:${tap}`,
    profile: { ...CHAINED_PROFILE, maxLifetimeSec: 900, routes: [{ path: '/protected', methods: ['GET', 'POST'] }] },
    clock: { nowMs: () => Date.now() },
    port: 0,
  })
  const flags = [
    '--as',
    'chain',
    '--origin-url',
    `${origin.url}/protected`,
    '--jwks-url',
    `${issuer}/.well-known/jwks.json`,
  ]
  const ports = ['--tap-port', String(tap), '--jwks-proxy-port', String(proxy), '--json', 'report.json']
  const { code, out } = await trustspec(
    folder,
    ['run', url, ...flags, ...ports, '--identity-echo', '/sub', '--case', 'happy-path,direct-to-origin'],
    { TRUSTSPEC_API_KEY: keys[0], TRUSTSPEC_API_KEY_2: keys[1] },
  )
  const report = await reportOf(folder)

  expect(out).toContain(`The origin of the gateway has to be http://127.0.0.1:${tap}\n`)
  expect(report.cases.map(({ id, verdict }) => [id, verdict])).toEqual([
    ['chain/happy-path', 'pass'],
    ['chain/direct-to-origin', 'pass'],
  ])
  expect(report.notProven).toEqual([])
  expect(code).toBe(0)
})

test('JSON and YAML configurations say the same; --config names one, of which --as may not differ', async () => {
  const folder = await ownFolder()
  const yaml = 'subject: gateway\nurl: http://127.0.0.1:1/orders\nkeys:\n  - ${ORDERS_KEY}\n'
  await writeFile(path.join(folder, 'trustspec.config.yaml'), yaml)
  await writeFile(
    path.join(folder, 'other.json'),
    JSON.stringify({ subject: 'gateway', url: 'http://127.0.0.1:1/orders', keys: ['${ORDERS_KEY}'] }),
  )
  const env = { ORDERS_KEY: 'k' }
  const run = (...args: string[]): Promise<Ended> => trustspec(folder, ['run', ...args], env)
  const [found, named, other] = [
    await run(),
    await run('--config', 'other.json'),
    await run('--as', 'chain', '--config', 'other.json'),
  ]

  for (const one of [found, named]) {
    expect(one.out).toContain('against the gateway at http://127.0.0.1:1/orders, with 1 API key')
    expect(one.err).toMatch(/^ERR_TARGET_UNREACHABLE: /u)
  }
  expect(other.err).toContain(
    'The configuration is of another subject (flag --as, given chain); instead: --as gateway,',
  )
})
