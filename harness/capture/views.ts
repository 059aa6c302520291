import type { Encoding } from '../model/capture.ts'

/** Octets as ISO 8859-1 text, decoded in one of the ways in which they can be read. */
export interface View {
  readonly text: string
  /** Outermost first; empty: as they are. */
  readonly encodings: readonly Encoding[]
}

/** Encodings within one another that are looked through; two in texts above `LONG`. */
const DEPTH = 3
const LONG = 64 * 1024

type Decoder = (text: string, least: number) => readonly string[]

const DECODERS: Readonly<Record<Encoding, Decoder>> = {
  percent: (text) =>
    /%[0-9a-f]{2}/iu.test(text)
      ? [text.replaceAll(/%([0-9a-f]{2})/giu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))]
      : [],
  'json-escape': (text) =>
    /\\(?:u00[0-9a-f]{2}|\/)/iu.test(text)
      ? [
          text.replaceAll(/\\(?:u00([0-9a-f]{2})|\/)/giu, (_, hex: string | undefined) =>
            hex === undefined ? '/' : String.fromCharCode(Number.parseInt(hex, 16)),
          ),
        ]
      : [],
  // Whatever stands in front of it shifts base64 by up to three characters, and hex by one.
  base64: (text, least) =>
    runsOf(text, /[A-Za-z0-9+/_-]+/gu, (least * 4) / 3).flatMap((run) =>
      [0, 1, 2, 3].map((skip) => Buffer.from(run.slice(skip), 'base64').toString('latin1')),
    ),
  hex: (text, least) =>
    runsOf(text, /[0-9a-f]+/giu, least * 2).flatMap((run) =>
      [0, 1].map((skip) => Buffer.from(run.slice(skip), 'hex').toString('latin1')),
    ),
}

/** Runs that are long enough to hold `least` characters. */
function runsOf(text: string, pattern: RegExp, least: number): readonly string[] {
  return (text.match(pattern) ?? []).filter((run) => run.length >= least)
}

/** The text as it is, and decoded in every way that can uncover at least so many characters; shallow ones first. */
export function viewsOf(text: string, least: number): readonly View[] {
  const views: View[] = [{ text, encodings: [] }]
  const depth = text.length > LONG ? DEPTH - 1 : DEPTH
  for (const { text: outer, encodings } of views) {
    if (encodings.length === depth) continue
    for (const [encoding, decode] of Object.entries(DECODERS) as [Encoding, Decoder][]) {
      for (const inner of decode(outer, least)) {
        if (inner.length >= least) views.push({ text: inner, encodings: [...encodings, encoding] })
      }
    }
  }
  return views
}
