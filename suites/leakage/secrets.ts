import type { Place, Secret } from '../../harness/model/capture.ts'
import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { Answer } from '../../harness/model/http.ts'
import { anatomyOf } from '../api-keys/anatomy.ts'

/** A key as something that must not be found; slices count in its secret part alone, since all keys begin alike. */
export function keySecret(key: string, name: string): Secret {
  return { name, value: key, part: anatomyOf(key).secret }
}

/** Every key that a case can know of. */
export function knownKeys({ keys, profile }: Pick<GatewayBench, 'keys' | 'profile'>): readonly Secret[] {
  const { revokedKeys = [], expiredKeys = [], disabledKeys = [], pairOfKeys = [], entitlement } = profile
  const all = [
    ...keys,
    ...profile.keys,
    ...revokedKeys,
    ...expiredKeys,
    ...disabledKeys,
    ...pairOfKeys,
    ...(entitlement?.otherKeys ?? []),
  ]
  return [...new Set(all.map(({ key }) => key))].map((key, at) => keySecret(key, `key ${at + 1}`))
}

/** Whether the place holds the secret or a part of it; a digest gives nothing away that has enough chance in it. */
export function givesAway({ what }: Place): boolean {
  return what === 'value' || what === 'slice'
}

/** Where something was found, in words. */
export function placesText(places: readonly Place[]): string {
  return places
    .map(({ part, name, encodings, what }) => {
      const how = [...encodings, ...(what === 'slice' ? ['in part'] : [])].join(', ')
      return `in the ${part}${name === '' ? '' : ` ${name}`}${how === '' ? '' : ` (${how})`}`
    })
    .join('; ')
}

/** All that a caller gets to see of an answer. */
export function textOf({ headers, body }: Answer): string {
  return [...headers.map(([name, value]) => `${name}: ${value}`), body].join('\n')
}

const JWT = /eyJ[\w-]*\.[\w-]+\.[\w-]+/gu

/** Compact tokens in a text, each once. */
export function tokensIn(text: string): readonly string[] {
  return [...new Set(text.match(JWT) ?? [])]
}

/** The signature of a compact token: whoever has it has the token, since the rest can be guessed. */
export function signatureOf(compact: string): string {
  return compact.slice(compact.lastIndexOf('.') + 1)
}
