import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { makeAuthority } from './certificates.ts'
import { startInterception } from './intercept.ts'

const run = promisify(execFile)
const HOST = 'gateway.invalid'
const URL_OF_KEYS = `https://${HOST}/issuer/.well-known/jwks.json`

const start = () =>
  startInterception({
    hosts: [HOST],
    handle: (request, response) => response.end(JSON.stringify({ host: request.headers.host, path: request.url })),
  })

const JAVA = `import java.net.URI;
public class Fetch {
  public static void main(String[] given) throws Exception {
    System.out.print(new String(URI.create(given[0]).toURL().openStream().readAllBytes()));
  }
}
`

const PYTHON = 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())'
const NODE = 'process.stdout.write(await (await fetch(process.argv[1])).text())'

function has(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    console.log(`${command} is missing: that a client of it is intercepted is not tested here.`)
    return false
  }
}

const clients: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ['Node', process.execPath, ['--input-type=module', '-e', NODE, URL_OF_KEYS]],
  ...(has('python3', '--version') ? [['Python', 'python3', ['-c', PYTHON, URL_OF_KEYS]] as const] : []),
  ...(has('curl', '--version') ? [['curl', 'curl', ['-sS', URL_OF_KEYS]] as const] : []),
]

test.each(clients)('%s finds the keys of a host that does not exist', async (_, command, args) => {
  await using interception = await start()
  const { stdout } = await run(command, args, { env: { ...process.env, ...interception.environment } })

  expect(JSON.parse(stdout)).toEqual({ host: HOST, path: '/issuer/.well-known/jwks.json' })
  expect(interception.connects()).toBe(1)
})

if (has('java', '-version') && has('keytool', '-help')) {
  test('Java finds them too', { timeout: 60_000 }, async () => {
    await using interception = await start()
    const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-java-'))
    const file = path.join(folder, 'Fetch.java')
    await writeFile(file, JAVA)
    const { stdout } = await run('java', [file, URL_OF_KEYS], { env: { ...process.env, ...interception.environment } })
    await rm(folder, { recursive: true })

    expect(JSON.parse(stdout)).toMatchObject({ host: HOST })
  })
}

test('a client that does not know the authority refuses', async () => {
  await using interception = await start()
  const { NODE_EXTRA_CA_CERTS: _, SSL_CERT_FILE: __, ...rest } = interception.environment
  const env = { ...process.env, ...rest }

  await expect(run(process.execPath, ['--input-type=module', '-e', NODE, URL_OF_KEYS], { env })).rejects.toThrow(
    'fetch failed',
  )
})

test('other hosts are tunnelled untouched, and what cannot be reached is told', async () => {
  await using interception = await start()
  const echo = net.createServer((socket) => socket.pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const { port } = echo.address() as AddressInfo
  const say = async (target: string, text: string): Promise<string> => {
    const socket = net.connect(Number(new URL(interception.proxyUrl).port), '127.0.0.1')
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
    let [answer] = (await once(socket, 'data')) as [Buffer]
    if (answer.toString().startsWith('HTTP/1.1 200')) {
      socket.write(text)
      ;[answer] = (await once(socket, 'data')) as [Buffer]
    }
    socket.destroy()
    return answer.toString()
  }

  expect(await say(`127.0.0.1:${port}`, 'hello')).toBe('hello')
  const closed = once(echo, 'close')
  echo.close()
  await closed
  expect(await say(`127.0.0.1:${port}`, 'hello')).toContain('502')
  expect((await fetch(interception.proxyUrl)).status).toBe(501)
  expect(interception.connects()).toBe(0)
})

test('the authority leaves no private key on the disk, and nothing at all afterwards', async () => {
  const interception = await start()
  const folder = path.dirname(interception.caFile)
  const texts = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'latin1'))

  expect(texts.join('')).not.toContain('PRIVATE')
  await interception[Symbol.asyncDispose]()
  expect(existsSync(folder)).toBe(false)
})

if (has('openssl', 'version')) {
  test('openssl verifies the chain', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-chain-'))
    const { caPem, certPem } = makeAuthority([HOST, '127.0.0.1'])
    await writeFile(path.join(folder, 'ca.pem'), caPem)
    await writeFile(path.join(folder, 'cert.pem'), certPem)
    const given = ['verify', '-x509_strict', '-CAfile', 'ca.pem', '-verify_hostname', HOST, 'cert.pem']
    const { stdout } = await run('openssl', given, { cwd: folder })
    await rm(folder, { recursive: true })

    expect(stdout.trim()).toBe('cert.pem: OK')
  })
}
