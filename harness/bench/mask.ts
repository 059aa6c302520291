import { searchFor } from '../capture/search.ts'

/** What must not be read in a report. */
export interface Hidden {
  readonly value: string
  /** What stands in its place. */
  readonly as: '$TOKEN' | '$TOKEN_PART' | '$API_KEY'
  /** The part of it that slices are looked for of; empty: none are. Default: all of it. */
  readonly part?: string
}

/**
 * Text without what is hidden. What stands there as it is becomes the word for it, then `further` changes the rest; a
 * text that still gives something away (encoded, reversed, in slices, hashed) goes as a whole.
 */
export function maskOf(hidden: readonly Hidden[], further = (text: string): string => text): (text: string) => string {
  const search = searchFor(hidden.map(({ as, ...rest }) => ({ name: as, ...rest })))
  return (text) => {
    const plain = further(hidden.reduce((rest, { value, as }) => rest.replaceAll(value, as), text))
    if (hidden.length === 0) return plain
    const [place] = search(plain)
    return place ? `(a variant of ${place.secret})` : plain
  }
}

/** API keys, each as a whole. */
export function hiddenKeys(keys: Iterable<string>): readonly Hidden[] {
  return [...keys].map((value) => ({ value, as: '$API_KEY' }))
}

/** Shortest segment of a token that is replaced: a shorter one could stand anywhere. */
const SEGMENT = 16

/**
 * A JWT of the user. Its signature is what must not be guessed from parts; header and claims are shared with what is
 * minted in their likeness, and are told of as wholes.
 */
export function hiddenToken(compact: string): readonly Hidden[] {
  const segments = compact.split('.')
  const signature = segments.at(-1) ?? ''
  return [
    { value: compact, as: '$TOKEN', part: signature },
    ...segments
      .filter((segment) => segment.length >= SEGMENT)
      .map((value): Hidden => ({ value, as: '$TOKEN_PART', part: value === signature ? signature : '' })),
  ]
}
