import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startContainer } from './container.ts'
import { prepareGround } from './ground.ts'
import type { Ground } from './ground.ts'
import { hasDocker } from './runtimes.testing.ts'
import type { Target } from './target.ts'

const IMAGE = 'trustspec/talker:test'

/** Says what it was told, and ends when it is asked to. */
const PROGRAM = `
if (process.env.LD_PRELOAD && process.env.DISLIKES_PRELOAD) process.exit(3)
if (process.env.BROKEN) { console.error('Error: no keys'); process.exit(4) }
console.log('started for ' + process.env.NOTE)
require('node:http').createServer((request, response) => {
  if (request.url === '/end') process.exit(7)
  response.end(JSON.stringify({ uid: process.getuid(), ...process.env }))
}).listen(process.env.PORT, '0.0.0.0')
`

const isTestable = hasDocker('how containers are started, watched and stopped')

describe.runIf(isTestable)('a container', () => {
  let ground: Ground | undefined

  beforeAll(async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-talker-'))
    await writeFile(path.join(folder, 'talker.js'), PROGRAM)
    const lines = [
      'FROM node:24.21.0-trixie-slim',
      'COPY talker.js /',
      'USER node',
      'EXPOSE 9000',
      'CMD ["node", "/talker.js"]',
    ]
    await writeFile(path.join(folder, 'Dockerfile'), `${lines.join('\n')}\n`)
    execFileSync('docker', ['build', '--quiet', '--tag', IMAGE, folder], { stdio: 'ignore' })
    await rm(folder, { recursive: true })
    ground = await prepareGround(console.log)
  })
  afterAll(async () => {
    await ground?.[Symbol.asyncDispose]()
    execFileSync('docker', ['image', 'rm', '--force', IMAGE], { stdio: 'ignore' })
  })

  async function start(env: Readonly<Record<string, string>> = {}): Promise<Target> {
    if (!ground) throw new Error('There is no ground')
    return await startContainer(ground, {
      image: IMAGE,
      path: '/',
      env: { NOTE: '{audience} at {port}', ...env },
      profile: {},
      settings: { issuer: 'http://issuer', jwksUrl: 'http://issuer/jwks', audience: 'orders' },
      readyMs: 10_000,
    })
  }

  test('is told of the issuer, and answers at the port that its image exposes', async () => {
    await using target = await start()
    const told = (await (await request(target.url, { reset: true })).body.json()) as Record<string, unknown>

    expect(told).toMatchObject({ uid: 1000, PORT: '9000', ISSUER: 'http://issuer', NOTE: 'orders at 9000' })
    expect(new URL(target.url).port).toBe('9000')
    expect(target.residentOctets?.()).toBeGreaterThan(1024 * 1024)
    expect(target.logTail?.()).toEqual(['started for orders at 9000'])
    expect(target.deaths?.()).toEqual([])
  })

  test('that ends by itself is seen to, and is at the same URL when it starts again', async () => {
    await using target = await start()
    await request(new URL('/end', target.url), { reset: true }).catch(() => undefined)
    await expect.poll(() => target.deaths?.()).toEqual(['it ended with exit code 7'])
    await target.restart?.()
    const { statusCode, body } = await request(target.url, { reset: true })
    await body.dump()

    expect(statusCode).toBe(200)
    expect(target.deaths?.()).toEqual(['it ended with exit code 7'])
    await target.restart?.()
    expect(target.deaths?.()).toEqual(['it ended with exit code 7'])
    await expect.poll(() => target.logTail?.()).toHaveLength(3)
  })

  test('that does not start under libfaketime starts without it', async () => {
    await using target = await start({ DISLIKES_PRELOAD: '1' })

    expect(target.clock).toBeUndefined()
    expect(target.noClock).toBeDefined()
  })

  test('that does not start is a sentence with its last words, and nothing is left of it', async () => {
    await expect(start({ BROKEN: '1' })).rejects.toMatchObject({
      code: 'ERR_TARGET_DID_NOT_START',
      fields: { container: IMAGE, reason: 'it ended with exit code 4', log: 'Error: no keys' },
    })
    const label = `label=dev.trustspec.run=${ground?.id ?? ''}`
    expect(execFileSync('docker', ['ps', '--all', '--quiet', '--filter', label], { encoding: 'utf8' })).toBe('')
  })
})
