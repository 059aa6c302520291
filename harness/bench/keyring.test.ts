import { describe, expect, test } from 'vitest'
import type { Client } from '../client/client.ts'
import type { JsonObject } from '../model/json.ts'
import { Keyring } from './keyring.ts'

/** A keyring whose gateway publishes the given sets in turn, the last one for ever. */
function keyringOf(...sets: readonly (readonly string[])[]) {
  const asked = { times: 0 }
  const send: Client['send'] = () => {
    const kids = sets[Math.min(asked.times, sets.length - 1)] ?? []
    asked.times += 1
    const body = JSON.stringify({ keys: kids.map((kid) => ({ kid })) })
    return Promise.resolve({ status: 200, headers: [], body, ms: 1, connection: 1 })
  }
  return { keyring: new Keyring({ send } as Client, new URL('http://127.0.0.1/jwks')), asked }
}

function kidsAt(keyring: Keyring, monotonicMs: number, kid: unknown): readonly string[] {
  return keyring
    .at({ monotonicMs }, kid)
    .map((set) => (set as { keys: readonly JsonObject[] }).keys.map((key) => String(key['kid'])).join(' '))
}

describe('the sets that may have counted for a token', () => {
  test('are the last before it arrived, and the nearest with its kid before and after', async () => {
    const { keyring } = keyringOf(['a'], ['b'], ['c'], ['a', 'b'])
    for (let times = 0; times < 3; times += 1) await keyring.fetch()
    const between = performance.now()
    await keyring.fetch()

    expect(kidsAt(keyring, between, 'a')).toEqual(['c', 'a', 'a b'])
    expect(kidsAt(keyring, between, 'b')).toEqual(['c', 'b', 'a b'])
  })

  test.each([undefined, 'never published'])('are all, each once, where no set has the kid %s', async (kid) => {
    const { keyring } = keyringOf(['a'], ['b'], ['b'])
    for (let times = 0; times < 3; times += 1) await keyring.fetch()

    expect(kidsAt(keyring, 0, kid)).toEqual(['a', 'b'])
  })
})
