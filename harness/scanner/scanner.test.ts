import { createPublicKey, verify } from 'node:crypto'
import { request } from 'undici'
import { expect, test } from 'vitest'
import { startScanner } from './scanner.ts'

interface List {
  readonly public_keys: readonly {
    readonly key_identifier: string
    readonly key: string
    readonly is_current: boolean
  }[]
}

async function listAt(url: string): Promise<List> {
  return (await (await request(url)).body.json()) as List
}

test('publishes the key that it signs alerts with, raw octets and all', async () => {
  await using scanner = await startScanner()
  const body = scanner.bodyOf('example_api_key', [
    { token: 'a' },
    { token: 'b', type: 'another', url: 'https://example.com' },
  ])
  const [[, identifier], [, signature]] = scanner.headersFor(body) as readonly [[string, string], [string, string]]
  const { public_keys: keys } = await listAt(scanner.keyListUrl)

  expect(keys.map(({ key_identifier: id }) => id)).toEqual([identifier])
  const key = createPublicKey(keys[0]?.key ?? '')
  expect(key.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
  expect(verify('sha256', Buffer.from(body), key, Buffer.from(signature, 'base64'))).toBe(true)
  expect(verify('sha256', Buffer.from(`${body} `), key, Buffer.from(signature, 'base64'))).toBe(false)
  expect(JSON.parse(body)).toEqual([
    { token: 'a', type: 'example_api_key', url: '', source: 'content' },
    { token: 'b', type: 'another', url: 'https://example.com', source: 'content' },
  ])
})

test('keeps a new key to itself until it is published', async () => {
  await using scanner = await startScanner()
  const key = scanner.newKey()
  expect((await listAt(scanner.keyListUrl)).public_keys).toHaveLength(1)
  scanner.publish(key)

  const { public_keys: keys } = await listAt(scanner.keyListUrl)
  expect(keys.map(({ key_identifier: id }) => id)).toEqual([scanner.key.identifier, key.identifier])
  expect(scanner.fetches()).toBe(2)
})

test('answers the list as it is told, until that ends', async () => {
  await using scanner = await startScanner()
  {
    using script = scanner.serve({ status: 500, body: 'no' })
    expect((await request(scanner.keyListUrl)).statusCode).toBe(500)
    expect(script.served()).toBe(1)
  }
  {
    using _ = scanner.serve({ fault: 'reset' })
    await expect(request(scanner.keyListUrl)).rejects.toMatchObject({
      code: expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/u),
    })
  }
  {
    using script = scanner.serve({ fault: 'hang' })
    await expect(request(scanner.keyListUrl, { headersTimeout: 100 })).rejects.toThrow()
    expect(script.served()).toBe(1)
  }
  expect((await request(scanner.keyListUrl)).statusCode).toBe(200)
})
