import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import http from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Inconclusive, NotApplicable } from '../model/errors.ts'
import type { ApiKey } from '../model/gateway-profile.ts'
import { hooksOf } from './hooks.ts'
import type { HooksConfig } from './hooks-config.ts'
import { endOutages } from './outages.ts'

const KEY: ApiKey = { key: 'tsk_a-key-that-nobody-sees', consumer: 'acme' }

async function place(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'trustspec-hooks-'))
  onTestFinished(() => rm(made, { recursive: true }))
  return made
}

function hooks(config: HooksConfig, env: NodeJS.ProcessEnv = {}) {
  const failures: string[] = []
  const made = hooksOf(config, {
    env,
    nowMs: () => Date.parse('2030-01-01T00:00:00Z'),
    onFailure: (said) => failures.push(said),
  })
  return { ...made, failures }
}

interface Asked {
  readonly method: string
  readonly target: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** A server that an operator might have. */
async function operator(answer: (asked: Asked) => { readonly status?: number; readonly body?: string } | undefined) {
  const all: Asked[] = []
  const server = http.createServer((incoming, response) => {
    void text(incoming).then((body) => {
      const asked = { method: incoming.method ?? '', target: incoming.url ?? '', headers: incoming.headers, body }
      all.push(asked)
      const answered = answer(asked)
      if (answered) response.writeHead(answered.status ?? 200).end(answered.body ?? '')
    })
  })
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, all }
}

async function said(promise: Promise<unknown> | undefined): Promise<string> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Inconclusive) return error.message
    throw error
  }
  throw new Error('Nothing was said')
}

/** Whether the process runs: one that nobody has reaped yet does not. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z')
}

describe('commands', () => {
  test('that issue keys are told of the wish, and give back JSON or the key alone', async () => {
    const wishes = ['like', 'expiresInSec', 'disabled', 'unentitled', 'plain', 'attribute'] as const
    const told = '$CONSUMER $LIKE_KEY $EXPIRES_IN_SEC $EXPIRES_AT $DISABLED $UNENTITLED $PLAIN $ATTRIBUTE $HOOK'
    const command = `printf '{"key":"k","subject":"s","identity":{"X-Plan":"%s"}}' "${told}"`
    const { issueKey } = hooks({ issueKey: { command, wishes } })
    const plain = await issueKey?.()
    const special = await issueKey?.({
      like: KEY,
      expiresInSec: 60,
      disabled: true,
      unentitled: true,
      plain: true,
      attribute: 'a',
    })
    const alone = await hooks({ issueKey: 'echo tsk_alone' }).issueKey?.()

    expect(plain).toEqual({
      key: 'k',
      subject: 's',
      consumer: expect.stringMatching(/^trustspec-/u) as unknown,
      identity: { 'X-Plan': `${plain?.consumer}        issueKey` },
    })
    expect(special).toEqual({
      key: 'k',
      subject: 's',
      consumer: 'acme',
      identity: { 'X-Plan': `acme ${KEY.key} 60 2030-01-01T00:01:00.000Z true true true a issueKey` },
    })
    expect(alone).toMatchObject({ key: 'tsk_alone' })
  })

  test.each([
    [{ like: KEY }, 'like'],
    [{ expiresInSec: 5 }, 'expiresInSec'],
    [{ disabled: true }, 'disabled'],
    [{ unentitled: true }, 'unentitled'],
    [{ plain: true }, 'plain'],
  ])('that do not say that they heed %j are not asked for it', async (wish, name) => {
    const { issueKey } = hooks({ issueKey: 'echo tsk_wrong' })

    await expect(issueKey?.(wish)).rejects.toThrow(
      new NotApplicable(`The hook issueKey does not say that it heeds "${name}" in its "wishes".`),
    )
  })

  test('cannot be told of NUL', async () => {
    const { issueKey } = hooks({ issueKey: { command: 'echo k', wishes: ['attribute'] } })

    await expect(issueKey?.({ attribute: 'a\0b' })).rejects.toThrow(NotApplicable)
  })

  test('get keys in their environment', async () => {
    const folder = await place()
    await hooks({ revokeKey: `printf '%s %s [%s]' "$KEY" "\${CONSUMER}" "$ID" > ${folder}/told` }).revokeKey?.(KEY)
    await hooks({ revokeSigningKey: `printf '%s' "$KID" > ${folder}/kid` }).revokeSigningKey?.('k-1')

    expect(await readFile(`${folder}/told`, 'utf8')).toBe(`${KEY.key} acme []`)
    expect(await readFile(`${folder}/kid`, 'utf8')).toBe('k-1')
  })

  test('that fail are told in one sentence, without secrets', async () => {
    const secret = 'Zm9vYmFyYmF6cXV4MDEyMzQ1Njc4OQ'
    const failing = hooks({ revokeKey: `echo "first line" >&2; echo "no such key: $KEY, with ${secret}." >&2; exit 3` })
    const killed = hooks({ restart: 'kill -9 $$' })
    const missing = hooks({ rotateSigningKey: 'no-such-command-at-all' })

    expect(await said(failing.revokeKey?.(KEY))).toBe('The hook revokeKey failed: exit 3, no such key: $KEY, with ….')
    expect(await said(killed.restart?.())).toBe('The hook restart failed: signal SIGKILL.')
    expect(await said(missing.rotateSigningKey?.())).toMatch(
      /^The hook rotateSigningKey failed: exit 127, .*not found\.$/u,
    )
    expect(await said(hooks({ issueKey: `echo '{"apiKey":"tsk_hidden"}'` }).issueKey?.())).toBe(
      'The hook issueKey failed: it gave back no key at /key; what is due is {"key": "…"}.',
    )
  })

  test('that take too long end with their whole group', async () => {
    const folder = await place()
    const command = `sleep 60 & echo $! > ${folder}/pid; wait`
    const began = performance.now()
    const sentence = await said(hooks({ restart: { command, timeoutSec: 0.3 } }).restart?.())

    expect(sentence).toBe('The hook restart failed: not ended after 0.3 s.')
    expect(performance.now() - began).toBeLessThan(10_000)
    await expect.poll(async () => isAlive(Number(await readFile(`${folder}/pid`, 'utf8')))).toBe(false)
  })

  test('that restart a gateway leave it running; those that give something back leave nothing', async () => {
    const folder = await place()
    const command = (name: string): string => `sleep 60 & echo $! > ${folder}/${name}; echo done`
    const { restart, logs } = hooks({ restart: command('left'), logs: command('ended') })
    await restart?.()
    const left = Number(await readFile(`${folder}/left`, 'utf8'))
    onTestFinished(() => void process.kill(left, 'SIGKILL'))

    expect(await logs?.()).toBe('done\n')
    expect(isAlive(left)).toBe(true)
    await expect.poll(async () => isAlive(Number(await readFile(`${folder}/ended`, 'utf8')))).toBe(false)
  })
})

describe('outages', () => {
  test('are a pair, or one command with ACTION, and end once', async () => {
    const folder = await place()
    const note = (what: string): string => `echo ${what} >> ${folder}/log`
    const { keyStoreDown, signerDown } = hooks({
      keyStoreDown: { down: note('pair-down'), up: note('pair-up') },
      signerDown: note('one-$ACTION'),
    })
    const pair = await keyStoreDown?.()
    await pair?.[Symbol.asyncDispose]()
    await pair?.[Symbol.asyncDispose]()
    const one = await signerDown?.()
    await one?.[Symbol.asyncDispose]()

    expect((await readFile(`${folder}/log`, 'utf8')).split('\n')).toEqual([
      'pair-down',
      'pair-up',
      'one-down',
      'one-up',
      '',
    ])
  })

  test('that could not begin are ended; those that cannot be ended are told of', async () => {
    const folder = await place()
    const begun = hooks({ keyStoreDown: { down: 'exit 1', up: `touch ${folder}/up` } })
    const stuck = hooks({ limitStoreDown: { down: 'true', up: 'exit 2' } })

    expect(await said(begun.keyStoreDown?.())).toBe('The hook keyStoreDown.down failed: exit 1.')
    expect(existsSync(`${folder}/up`)).toBe(true)
    const ongoing = await stuck.limitStoreDown?.()
    await ongoing?.[Symbol.asyncDispose]()
    expect(stuck.failures).toEqual(['The hook limitStoreDown.up failed: exit 2. What it took down may still be down.'])
  })

  test('that last when the run is interrupted are ended', async () => {
    const folder = await place()
    await hooks({ keyStoreDown: { down: 'true', up: `echo up >> ${folder}/log` } }).keyStoreDown?.()
    await endOutages()
    await endOutages()

    expect(await readFile(`${folder}/log`, 'utf8')).toBe('up\n')
  })
})

describe('HTTP calls', () => {
  test('have variables of the hook and of the environment, with their types, and pointers into the answer', async () => {
    const api = await operator(() => ({ status: 201, body: '{"data":[{"apiKey":"k/1","id":"id-1"}]}' }))
    const { issueKey, revokeKey } = hooks(
      {
        issueKey: {
          url: `${api.url}/consumers/\${CONSUMER}/keys`,
          headers: { Authorization: 'Bearer ${ADMIN_TOKEN}' },
          body: {
            expiresAt: '${EXPIRES_AT}',
            seconds: '${EXPIRES_IN_SEC}',
            off: '${DISABLED}',
            tags: ['a ${CONSUMER}'],
          },
          wishes: ['expiresInSec'],
          result: { key: '/data/0/apiKey', id: '/data/0/id' },
        },
        revokeKey: { url: `${api.url}/keys/\${ID}?key=\${KEY}`, method: 'DELETE' },
      },
      { ADMIN_TOKEN: 'admin-secret' },
    )
    const made = await issueKey?.({ expiresInSec: 60 })
    if (made) await revokeKey?.(made)
    const [first, second] = api.all

    expect(made?.key).toBe('k/1')
    expect(first).toMatchObject({ method: 'POST', target: `/consumers/${made?.consumer}/keys` })
    expect(first?.headers).toMatchObject({ authorization: 'Bearer admin-secret', 'content-type': 'application/json' })
    expect(JSON.parse(first?.body ?? '')).toEqual({
      expiresAt: '2030-01-01T00:01:00.000Z',
      seconds: 60,
      tags: [`a ${made?.consumer}`],
    })
    expect(second).toMatchObject({ method: 'DELETE', target: '/keys/id-1?key=k%2F1', body: '' })
  })

  test('read logs with GET, and take things down and up', async () => {
    const api = await operator(({ target }) => ({ body: `log of ${target}` }))
    const { logs, keyStoreDown } = hooks({
      logs: { url: `${api.url}/logs` },
      keyStoreDown: { url: `${api.url}/store`, body: '{"action":"${ACTION}"}' },
    })

    expect(await logs?.()).toBe('log of /logs')
    await using _ = await keyStoreDown?.()
    await endOutages()
    expect(api.all.map(({ method, body }) => `${method} ${body}`)).toEqual([
      'GET ',
      'POST {"action":"down"}',
      'POST {"action":"up"}',
    ])
  })

  test('that fail are told in one sentence, without secrets', async () => {
    const api = await operator(({ target }) =>
      target.startsWith('/silent') ? undefined : { status: 403, body: `no: ${KEY.key}` },
    )
    const revoke = (url: string, more = {}) => said(hooks({ revokeKey: { url, ...more } }).revokeKey?.(KEY))

    expect(await revoke(`${api.url}/keys/\${KEY}?token=a-secret`)).toBe(
      `The hook revokeKey failed: POST ${api.url}/keys/\${KEY} was answered with status 403.`,
    )
    expect(await revoke(`${api.url}/silent`, { timeoutSec: 0.2 })).toBe(
      `The hook revokeKey failed: POST ${api.url}/silent: no answer in time.`,
    )
    expect(await revoke(`${api.url}/x`, { headers: { Authorization: 'Bearer ${NO_SUCH}' } })).toBe(
      `The hook revokeKey failed: POST ${api.url}/x: the variable NO_SUCH is not set.`,
    )
    expect(await revoke('http://127.0.0.1:1/x')).toBe(
      'The hook revokeKey failed: POST http://127.0.0.1:1/x: ECONNREFUSED.',
    )
  })
})
