/** What a statement is about: something that a digest names, with the name that people gave it. */
export interface Artefact {
  readonly name?: string
  readonly algorithm: string
  /** Hexadecimal, in lower case. */
  readonly digest: string
}

/** Digests by the names that in-toto has for them, and how many hexadecimal digits they may have. */
const DIGITS: Readonly<Record<string, readonly number[]>> = {
  sha256: [64],
  sha384: [96],
  sha512: [128],
  gitCommit: [40, 64],
}

/** How an artefact is written. */
export const ARTEFACT = 'NAME@sha256:HEX, NAME@sha512:HEX or NAME@gitCommit:HEX'

/** Reads `NAME@ALGORITHM:HEX`, as image references are written; the name may be missing. Undefined for all else. */
export function artefactOf(text: string): Artefact | undefined {
  const at = text.lastIndexOf('@')
  const [, algorithm = '', hex = ''] = /^(\w+):([0-9a-fA-F]+)$/u.exec(text.slice(at + 1)) ?? []
  if (at === 0 || !Object.hasOwn(DIGITS, algorithm) || !DIGITS[algorithm]?.includes(hex.length)) return undefined
  return { ...(at > 0 ? { name: text.slice(0, at) } : {}), algorithm, digest: hex.toLowerCase() }
}

/** As it was written. */
export function artefactText({ name, algorithm, digest }: Artefact): string {
  return `${name === undefined ? '' : `${name}@`}${algorithm}:${digest}`
}
