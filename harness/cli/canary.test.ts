import { createHmac } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { findSecretInText } from '../capture/search.ts'
import type { Secret } from '../model/capture.ts'
import { FORMAT_KINDS } from '../report/formats.ts'
import { ownFolder, serving, trustspec } from './cli.testing.ts'

/** Known only to the run: nothing that the run mints or says has a slice in common with them. */
const KEYS = ['tsk_Q7wZr2Xk9VbN4tLm8PsD3fGh6JyC5uTe', 'tsk_j5Hn8Ry3Wq6Bx9Kv2Md7Tz4Lc1Pg0Sf']
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const now = Math.floor(Date.now() / 1000)
const SIGNED = `${part({ alg: 'RS256', kid: 'canary' })}.${part({ iss: 'https://issuer.example.com', sub: 'canary', iat: now, exp: now + 3600 })}`
const SIGNATURE = createHmac('sha512', 'canary').update('signature').digest('base64url')
const TOKEN = `${SIGNED}.${SIGNATURE}`
const SECRETS: readonly Secret[] = [
  { name: 'key', value: KEYS[0] ?? '' },
  { name: 'second key', value: KEYS[1] ?? '' },
  { name: 'token', value: TOKEN, part: SIGNATURE },
  { name: 'signature', value: SIGNATURE },
]

/** All the ways in which a careless target says what it was told. */
function echoes(text: string): string {
  const octets = Buffer.from(text)
  return [
    text,
    octets.toString('base64'),
    octets.toString('hex'),
    encodeURIComponent(text),
    text.split('').toReversed().join(''),
    text.slice(-20),
  ].join(' ')
}

/** A target that lets everybody in and repeats what it was sent, in headers, bodies, URLs and errors. */
async function parrot(status: number): Promise<string> {
  const origin = await serving((request, response) => {
    const { authorization = '', 'x-api-key': key } = request.headers
    const said = echoes(`${authorization.replace(/^Bearer /iu, '')} ${String(key)}`.trim())
    const plain = said.replaceAll(/[^\u0020-\u007e]/gu, '')
    request.resume()
    response.writeHead(status, { 'x-said': plain, location: `/?said=${encodeURIComponent(said)}` })
    response.end(JSON.stringify({ marker: 'open', sub: said, error: said, url: request.url }))
  })
  return `${origin}/orders`
}

/** Runs against the target as a job of GitHub would; everything that is printed and written, by name. */
async function everythingSaid(args: readonly string[], env: NodeJS.ProcessEnv): Promise<ReadonlyMap<string, string>> {
  const folder = await ownFolder()
  const { code, out, err } = await trustspec(
    folder,
    ['run', ...args, '--verbose', '--timeout', '2', '--report', FORMAT_KINDS.join(',')],
    { ...env, GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: path.join(folder, 'summary.md') },
  )
  expect(code, err).toBe(1)
  const names = (await readdir(folder)).filter((name) => name.startsWith('trustspec.') || name === 'summary.md')
  expect(names).toHaveLength(FORMAT_KINDS.length + 1)
  const files = names.map(async (name) => [name, await readFile(path.join(folder, name), 'utf8')] as const)
  return new Map([['console', out], ['errors', err], ...(await Promise.all(files))])
}

describe('no report holds a key or a token of the user', () => {
  beforeAll(() => {
    // The search finds what is hidden from it, or it would prove nothing.
    for (const { value, name } of SECRETS) {
      for (const echo of echoes(value).split(' ')) expect(findSecretInText(echo, ...SECRETS), name).not.toEqual([])
    }
  })

  const ofGateway = { TRUSTSPEC_API_KEY: KEYS[0], TRUSTSPEC_API_KEY_2: KEYS[1] }
  test.each<readonly [string, number, (url: string) => readonly string[], NodeJS.ProcessEnv]>([
    [
      'an origin that lets everybody in',
      200,
      (url) => [
        url,
        '--token',
        TOKEN,
        '--api-key',
        KEYS[0] ?? '',
        '--identity-echo',
        '/sub',
        '--case',
        'origin/signature/control-valid,alg-none,tampered,client-key-not-accepted',
      ],
      {},
    ],
    ['an origin that fails', 500, (url) => [url, '--token', TOKEN, '--case', 'origin/signature/control-valid'], {}],
    [
      'a gateway that lets everybody in',
      200,
      (url) => [
        url,
        '--as',
        'gateway',
        '--key-in',
        'header:X-API-Key',
        '--marker',
        'open',
        '--case',
        'gateway/key-auth/control-valid,missing,near-miss,every-method,www-authenticate',
      ],
      ofGateway,
    ],
    [
      'a gateway that fails',
      500,
      (url) => [url, '--as', 'gateway', '--marker', 'open', '--case', 'gateway/key-auth/control-valid,missing'],
      ofGateway,
    ],
    [
      'a chain that lets everybody in',
      200,
      (url) => [url, '--as', 'chain', '--origin-url', url, '--key-in', 'header:X-API-Key', '--marker', 'open'],
      ofGateway,
    ],
  ])('%s', async (_, status, argsOf, env) => {
    const said = await everythingSaid(argsOf(await parrot(status)), env)

    for (const [name, text] of said) expect(findSecretInText(text, ...SECRETS), name).toEqual([])
    expect(said.get('console')).toMatch(/^::error /mu)
    // What a target repeats is told of, without what it is.
    if (status === 200 && argsOf('').includes('--token')) {
      expect(said.get('trustspec.json')).toContain('(a variant of $TOKEN)')
      expect(said.get('trustspec.json')).toContain('(a variant of $API_KEY)')
    }
  })
})
