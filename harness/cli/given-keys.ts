import { readFileSync } from 'node:fs'
import type { ApiKey, GatewayProfile, KeyLocation } from '../model/gateway-profile.ts'
import { textOf, usage, valuesOf } from './args.ts'
import type { Given } from './args.ts'

type Keys = Partial<Pick<GatewayProfile, 'keys' | 'revokedKeys' | 'expiredKeys' | 'disabledKeys'>>

/** Lists of keys: their flag, the variables that hold them where the flag is missing, and the consumers made up. */
const LISTS = [
  ['keys', 'api-key', ['TRUSTSPEC_API_KEY', 'TRUSTSPEC_API_KEY_2'], 'consumer'],
  ['revokedKeys', 'revoked-key', ['TRUSTSPEC_REVOKED_KEY'], 'revoked'],
  ['expiredKeys', 'expired-key', ['TRUSTSPEC_EXPIRED_KEY'], 'expired'],
  ['disabledKeys', 'disabled-key', ['TRUSTSPEC_DISABLED_KEY'], 'disabled'],
] as const

/** The keys of flags and of --api-key-file, then those of the configuration, then those of the environment. */
export function keysGiven(given: Given, configured: Keys, env: NodeJS.ProcessEnv): Keys {
  const lists = LISTS.flatMap(([name, flag, variables, consumer]) => {
    const file = name === 'keys' ? keysOfFile(textOf(given, 'api-key-file')) : []
    const texts = [...valuesOf(given, flag), ...file]
    if (texts.includes('')) throw usage('The key is empty', { flag: `--${flag}`, instead: 'the text of a key' })
    const others = texts.length > 0 ? [] : variables.flatMap((variable) => env[variable] || [])
    const declared = texts.length > 0 ? [] : (configured[name] ?? [])
    const keys: readonly ApiKey[] =
      declared.length > 0
        ? declared
        : [...texts, ...others].map((key, at) => ({ key, consumer: `${consumer}-${at + 1}` }))
    if (new Set(keys.map(({ key }) => key)).size < keys.length) {
      throw usage('The same key is given twice', { flag: `--${flag}`, instead: 'keys of different consumers' })
    }
    return keys.length === 0 ? [] : [[name, keys] as const]
  })
  return Object.fromEntries(lists)
}

/** One key a line; what begins with # and a space is a comment. */
function keysOfFile(file: string | undefined): readonly string[] {
  if (file === undefined) return []
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw usage(
      'The file of keys cannot be read',
      { '--api-key-file': file, instead: 'a file with one key on each line' },
      error,
    )
  }
  const keys = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^#(?:\s|$)/u.test(line))
  if (keys.length === 0) {
    throw usage('The file of keys is empty', { '--api-key-file': file, instead: 'a file with one key on each line' })
  }
  return keys
}

const PLACES = ['header', 'query', 'cookie', 'body'] as const

/** Where keys go, by --key-in; undefined where it says nothing. */
export function locationsGiven(given: Given): readonly [KeyLocation, ...KeyLocation[]] | undefined {
  const [first, ...others] = valuesOf(given, 'key-in').map((text): KeyLocation => {
    const [kind = '', name = '', scheme, ...more] = text.split(':')
    const place = PLACES.find((one) => one === kind)
    const isWrong = !place || name === '' || more.length > 0 || (scheme !== undefined && place !== 'header')
    if (isWrong) {
      throw usage('This is no place for a key', {
        flag: '--key-in',
        // Whatever else was given may be a key.
        ...(/^[a-z]{1,8}$/u.test(kind) ? { given: `${kind}:…` } : {}),
        instead: 'header:X-API-Key, header:Authorization:Bearer, query:api_key, cookie:NAME or body:FIELD',
      })
    }
    return { in: place, name, ...(scheme === undefined || scheme === '' ? {} : { scheme }) }
  })
  return first && [first, ...others]
}
