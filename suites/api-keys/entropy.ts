import type { GatewayProfile } from '../../harness/model/gateway-profile.ts'
import { anatomyOf } from './anatomy.ts'

/** Bits of chance that a key has to have. */
export const LEAST_BITS = 128

/** What a list of freshly issued keys shows of their form. */
export interface KeysSeen {
  /** How many do not fit the declared pattern. */
  readonly misfits: number
  readonly distinct: number
  /** At most so many bits of chance: places that differ between the keys, times the bits of their characters. */
  readonly bits: number
  /** How many have a checksum that is right. */
  readonly checked: number
}

/** Measures keys of one kind; the last one is left out where it has another length. */
export function seenIn(keys: readonly string[], format: GatewayProfile['keyFormat'] & object): KeysSeen {
  const pattern = new RegExp(format.pattern, 'u')
  const anatomies = keys.map(anatomyOf)
  const checked = anatomies.filter(({ checksum }) => checksum !== undefined).length
  const bodies = keys.map((key, at) => {
    const { prefix, checksum } = anatomies[at] ?? { prefix: '', checksum: undefined }
    return key.slice(prefix.length, checksum ? -6 : undefined)
  })
  const length = Math.min(...bodies.map((body) => body.length))
  const places = Array.from({ length }, (_, at) => bodies.map((body) => body[at] ?? ''))
  const varying = places.filter((characters) => new Set(characters).size > 1)
  return {
    misfits: keys.filter((key) => !pattern.test(key)).length,
    distinct: new Set(keys).size,
    bits: Math.floor(varying.length * Math.log2(alphabetOf(varying.flat()))),
    checked,
  }
}

/** How many characters there are of the kinds that occur. */
function alphabetOf(characters: readonly string[]): number {
  const text = characters.join('')
  if (text === '') return 1
  if (/^[0-9a-f]+$/u.test(text) || /^[0-9A-F]+$/u.test(text)) return 16
  const kinds: readonly (readonly [RegExp, number])[] = [
    [/\d/u, 10],
    [/[a-z]/u, 26],
    [/[A-Z]/u, 26],
    [/[^0-9A-Za-z]/u, 2],
  ]
  return kinds.reduce((sum, [kind, size]) => sum + (kind.test(text) ? size : 0), 0)
}
