import { createHash } from 'node:crypto'
import type { Arrival, Place, Secret } from '../model/capture.ts'
import { viewsOf } from './views.ts'

/** Characters of a slice that give a secret away. */
export const SLICE = 12

/** What of an arrival is searched. */
export type Searchable = Pick<Arrival, 'method' | 'target' | 'version' | 'headers' | 'trailers' | 'body' | 'tunnelled'>

interface Part extends Pick<Place, 'part' | 'name'> {
  /** ISO 8859-1 */
  readonly text: string
}

/** A secret with everything of it that is looked for, as ISO 8859-1 text of its UTF-8 octets. */
interface Needle {
  readonly name: string
  readonly forward: Strand
  readonly backward: Strand
  readonly digests: readonly (readonly ['sha256' | 'md5', string])[]
}

interface Strand {
  readonly value: string
  readonly folded: string
  readonly slices: readonly string[]
  /** Halves of slices, side by side, in lower case: every slice has one whole, and they are a sixth as many. */
  readonly blocks: readonly string[]
}

/**
 * Every place where one of the secrets is in the request: raw, in base64, hex, percent-encoding or JSON escapes and
 * in these within one another, reversed, in other case, in slices, and its unsalted digests. One place for each part
 * and kind, the plainest one. What lies beyond the kept octets of a body is not seen.
 */
export function findSecret(arrival: Searchable, ...secrets: readonly Secret[]): readonly Place[] {
  return find(partsOf(arrival), needlesOf(secrets))
}

/** The same in any text or octets, such as an answer or a log. */
export function findSecretInText(text: string | Uint8Array, ...secrets: readonly Secret[]): readonly Place[] {
  return searchFor(secrets)(text)
}

/** The same for many texts: what is looked for is made once, when the first one comes. */
export function searchFor(secrets: readonly Secret[]): (text: string | Uint8Array) => readonly Place[] {
  let needles: readonly Needle[] | undefined
  return (text) => find(withTokens({ part: 'text', name: '', text: latin1(text) }), (needles ??= needlesOf(secrets)))
}

function needlesOf(secrets: readonly Secret[]): readonly Needle[] {
  return secrets.filter(({ value }) => value !== '').map(needleOf)
}

function find(parts: readonly Part[], needles: readonly Needle[]): readonly Place[] {
  const least = Math.min(SLICE, ...needles.map(({ forward }) => forward.value.length))
  const places = new Map<string, Place>()
  for (const { part, name, text } of parts) {
    for (const view of viewsOf(text, least)) {
      const lower = view.text.toLowerCase()
      for (const needle of needles) {
        for (const hit of hitsOf(view.text, lower, needle)) {
          const place = { secret: needle.name, part, name, encodings: view.encodings, ...hit }
          const key = keyOf(place, hit.what)
          if (!places.has(key)) places.set(key, place)
        }
      }
    }
  }
  // A slice says nothing more where the whole value is.
  return [...places.values()].filter(({ what, ...place }) => what !== 'slice' || !places.has(keyOf(place, 'value')))
}

function keyOf({ secret, part, name }: Pick<Place, 'secret' | 'part' | 'name'>, what: Place['what']): string {
  return JSON.stringify([secret, part, name, what])
}

type Hit = Pick<Place, 'what' | 'reversed' | 'folded'>

function hitsOf(text: string, lower: string, { forward, backward, digests }: Needle): readonly Hit[] {
  const strands = [forward, backward].flatMap((strand, at): Hit[] => {
    const hit = (what: Hit['what'], folded: boolean): Hit[] => [{ what, reversed: at === 1, folded }]
    if (lower.includes(strand.folded)) return hit('value', !text.includes(strand.value))
    if (!strand.blocks.some((block) => lower.includes(block))) return []
    if (!strand.slices.some((slice) => lower.includes(slice.toLowerCase()))) return []
    return hit('slice', !strand.slices.some((slice) => text.includes(slice)))
  })
  const found = digests.filter(([, digest]) => text.includes(digest))
  return [...strands, ...found.map(([what]) => ({ what, reversed: false, folded: false }))]
}

function needleOf({ name, value, part = value }: Secret): Needle {
  const octets = Buffer.from(value)
  return {
    name,
    forward: strandOf(latin1(value), latin1(part)),
    backward: strandOf(reversed(latin1(value)), reversed(latin1(part))),
    // As octets: whatever way they are written, one of the views has decoded them.
    digests: (['sha256', 'md5'] as const).map((what) => [
      what,
      createHash(what).update(octets).digest().toString('latin1'),
    ]),
  }
}

function strandOf(value: string, part: string): Strand {
  const count = Math.max(0, part.length - SLICE + 1)
  const slices = Array.from({ length: count }, (_, at) => part.slice(at, at + SLICE))
  const half = SLICE / 2
  const blocks = Array.from({ length: Math.floor(part.length / half) }, (_, at) =>
    part.slice(at * half, (at + 1) * half),
  )
  return { value, folded: value.toLowerCase(), slices, blocks: blocks.map((block) => block.toLowerCase()) }
}

/** Octet by octet, of ISO 8859-1 text. */
function reversed(text: string): string {
  return text.split('').reverse().join('')
}

function latin1(text: string | Uint8Array): string {
  return Buffer.from(text as string).toString('latin1')
}

function partsOf(arrival: Searchable): readonly Part[] {
  const { method, target, version, headers, trailers, body, tunnelled } = arrival
  const parts: readonly Part[] = [
    { part: 'request-line', name: '', text: `${method} ${target} ${version}` },
    ...headers.flatMap(([name, value]): Part[] =>
      name.trim().toLowerCase() === 'cookie'
        ? value.split(';').map((pair) => ({ part: 'cookie', name: cookieName(pair), text: pair }))
        : [{ part: 'header', name: name.trim(), text: `${name}: ${value}` }],
    ),
    { part: 'body', name: '', text: latin1(body.octets) },
    // Extensions of chunks are seen in the raw form alone, what a chunk boundary divides in the other.
    ...(body.framing === 'chunked' ? [{ part: 'body', name: '', text: latin1(body.raw) } as const] : []),
    ...trailers.map(([name, value]): Part => ({ part: 'trailer', name, text: `${name}: ${value}` })),
    { part: 'tunnel', name: '', text: latin1(tunnelled) },
  ]
  return parts.flatMap(withTokens)
}

function cookieName(pair: string): string {
  return (pair.split('=')[0] ?? '').trim()
}

const JWT = /(eyJ[\w-]*)\.([\w-]+)\.([\w-]*)/gu

/** The part without the JWTs in it, and what they say as parts of their own. */
function withTokens(part: Part): readonly Part[] {
  const tokens: Part[] = []
  const text = part.text.replaceAll(JWT, (_, header: string, claims: string, signature: string) => {
    tokens.push(
      { part: 'token', name: 'header', text: latin1(Buffer.from(header, 'base64url')) },
      { part: 'token', name: 'claims', text: latin1(Buffer.from(claims, 'base64url')) },
    )
    return ` ${signature} `
  })
  return [{ ...part, text }, ...tokens]
}
