import { createHash } from 'node:crypto'
import { request as fetchUrl } from 'undici'
import { describe, expect, test } from 'vitest'
import type { Arrival, Place, Secret } from '../model/capture.ts'
import { proveSearch } from './prove-search.ts'
import { findSecret, findSecretInText } from './search.ts'
import { startCapture } from './server.ts'

const KEY: Secret = {
  name: 'key of ada',
  value: 'tsk_test_Zm9vYmFyQmF6UXV4Q29yZ2U_9kP2',
  part: 'Zm9vYmFyQmF6UXV4Q29yZ2U',
}
const OTHER: Secret = {
  name: 'key of bob',
  value: 'tsk_test_aGFycG9vbkxhZ29vblRhdHRv_1xQ7',
  part: 'aGFycG9vbkxhZ29vblRhdHRv',
}
const DECOY: Secret = { name: 'decoy', value: 'Dk7PqWz3LmN8vTx2RcYb5HsJ' }

async function arrivalOf(headers: Record<string, string>, path = '/', body?: string): Promise<Arrival> {
  await using capture = await startCapture()
  const response = await fetchUrl(`${capture.url}${path}`, {
    headers,
    method: body === undefined ? 'GET' : 'POST',
    body: body ?? null,
  })
  await response.body.dump()
  return capture.all()[0] as Arrival
}

const backwards = (text: string): string => text.split('').reverse().join('')
const plain = { encodings: [], what: 'value', reversed: false, folded: false } as const

describe('finds a secret', () => {
  test('in each part, named', async () => {
    const arrival = await arrivalOf(
      { 'x-api-key': KEY.value, cookie: `a=b; session=${KEY.value}`, 'x-else': OTHER.value },
      `/?k=${KEY.value}&b=1`,
      `{"key":"${KEY.value}"}`,
    )

    expect(findSecret(arrival, KEY)).toEqual(
      [
        { part: 'request-line', name: '' },
        { part: 'header', name: 'x-api-key' },
        { part: 'cookie', name: 'session' },
        { part: 'body', name: '' },
      ].map((place) => ({ secret: 'key of ada', ...place, ...plain })),
    )
    expect(findSecret(arrival, KEY, OTHER).filter(({ secret }) => secret === 'key of bob')).toEqual([
      { secret: 'key of bob', part: 'header', name: 'x-else', ...plain },
    ])
  })

  test('in the claims and the header of a token, and nowhere else for it', async () => {
    const segments = [{ alg: 'ES256', kid: KEY.value }, { sub: Buffer.from(KEY.value).toString('base64') }]
    const [header, claims] = segments.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    const arrival = await arrivalOf({ authorization: `Bearer ${header}.${claims}.c2lnbmF0dXJl` })

    expect(findSecret(arrival, KEY)).toEqual([
      { secret: KEY.name, part: 'token', name: 'header', ...plain },
      { secret: KEY.name, part: 'token', name: 'claims', ...plain, encodings: ['base64'] },
    ])
    const signed = await arrivalOf({ authorization: `Bearer ${header}.${claims}.${KEY.value}` })
    expect(findSecret(signed, KEY)).toContainEqual({
      secret: KEY.name,
      part: 'header',
      name: 'authorization',
      ...plain,
    })
  })

  const hex = Buffer.from(KEY.value).toString('hex')
  const SPELLINGS: readonly (readonly [string, string, Partial<Place>])[] = [
    ['base64 of Basic', Buffer.from(`user:${KEY.value}`).toString('base64'), { encodings: ['base64'] }],
    ['base64 twice', Buffer.from(btoa(`x${KEY.value}`)).toString('base64url'), { encodings: ['base64', 'base64'] }],
    ['hex behind a digit', `0${hex}`, { encodings: ['hex'] }],
    ['hex in percent', hex.replaceAll('a', '%61'), { encodings: ['percent', 'hex'] }],
    ['percent twice', KEY.value.replaceAll('_', '%255F'), { encodings: ['percent', 'percent'] }],
    ['JSON escapes in part', KEY.value.replaceAll('_', String.raw`\u005f`), { encodings: ['json-escape'] }],
    ['reversed', backwards(KEY.value), { reversed: true }],
    ['reversed in base64', btoa(backwards(KEY.value)), { reversed: true, encodings: ['base64'] }],
    ['upper case', KEY.value.toUpperCase(), { folded: true }],
    ['a slice', `..${KEY.part?.slice(3, 15)}..`, { what: 'slice' }],
    ['a slice in lower case', `${KEY.part?.slice(0, 12).toLowerCase()}`, { what: 'slice', folded: true }],
    ['a slice in base64', btoa(`id=${KEY.part?.slice(8)}`), { what: 'slice', encodings: ['base64'] }],
    ['a slice reversed', backwards(KEY.part ?? '').slice(0, 12), { what: 'slice', reversed: true }],
  ]

  test.each(SPELLINGS)('as %s', (_, spelled, place) => {
    expect(findSecretInText(`"${spelled}"`, KEY, OTHER)).toEqual([
      { secret: KEY.name, part: 'text', name: '', ...plain, ...place },
    ])
  })

  test('as a digest, apart from the secret itself', () => {
    const sha256 = createHash('sha256').update(KEY.value).digest()
    const md5 = createHash('md5').update(KEY.value).digest()
    const found = (text: string) => findSecretInText(text, KEY).map(({ what, encodings }) => [what, ...encodings])

    expect(found(`id ${sha256.toString('hex').toUpperCase()}`)).toEqual([['sha256', 'hex']])
    expect(found(`id:${md5.toString('base64')} x${sha256.toString('base64url')}`)).toEqual([
      ['md5', 'base64'],
      ['sha256', 'base64'],
    ])
    expect(found(createHash('sha256').update(`salt${KEY.value}`).digest('hex'))).toEqual([])
  })

  test('in octets that are no text', () => {
    const octets = Buffer.concat([Buffer.from([0, 255, 128]), Buffer.from(KEY.value), Buffer.from([0])])

    expect(findSecretInText(octets, KEY)).toEqual([{ secret: KEY.name, part: 'text', name: '', ...plain }])
  })
})

describe('does not find', () => {
  test.each([
    ['the public prefix', 'tsk_test_'],
    ['eleven characters of the secret part', KEY.part?.slice(0, 11) ?? ''],
    ['twelve characters that reach into the prefix', KEY.value.slice(2, 14)],
    ['another key', OTHER.value],
    ['nothing', ''],
  ])('%s', (_, text) => {
    expect(findSecretInText(text, KEY)).toEqual([])
  })

  test('an empty secret', () => {
    expect(findSecretInText('anything', { name: 'none', value: '' })).toEqual([])
  })
})

describe('the proof of the search', () => {
  test('holds where the decoy was planted', async () => {
    expect(proveSearch(await arrivalOf({ 'x-decoy': DECOY.value }), DECOY)).toEqual([])
    expect(proveSearch(await arrivalOf({ 'x-decoy': KEY.value }), KEY)).toEqual([])
  })

  test('names what it could not show', async () => {
    expect(proveSearch(await arrivalOf({ 'x-decoy': 'else' }), DECOY)).toEqual(['the decoy that was planted'])
    // What has no part of its own to be sliced, as a decoy of one character.
    const short = await arrivalOf({ 'x-decoy': 'a' })
    expect(proveSearch(short, { name: 'short', value: 'a' })).not.toEqual([])
  })
})

test('a body of a megabyte is searched', async () => {
  const noise = Buffer.alloc(700_000, 'The quick brown fox jumps over the lazy dog. ').toString()
  const arrival = await arrivalOf({}, '/', `${noise}${btoa(`x${KEY.value}`)} ${noise.slice(0, 300_000)}`)

  expect(findSecret(arrival, KEY)).toEqual([
    { secret: KEY.name, part: 'body', name: '', ...plain, encodings: ['base64'] },
  ])
})
