import type { HeaderLines } from '../model/http.ts'
import type { Verdict } from '../model/verdict.ts'

/** Who stands on the path. */
export type Station = 'caller' | 'gateway' | 'issuer' | 'origin'

/** One request over one hop, and its answer; keys and tokens are already shortened. */
export interface Hop {
  readonly from: Station
  readonly to: Station
  /** Method and target, such as `GET /protected`. */
  readonly request: string
  readonly headers: HeaderLines
  /** 0 where none arrived. */
  readonly status: number
  readonly answerHeaders: HeaderLines
  readonly answerBody: string
  /** Header and claims of the token that travelled, decoded; missing where none did. */
  readonly token?: { readonly header: unknown; readonly claims: unknown }
}

/** What a case said of one variant of the origin. */
export interface VariantVerdict {
  readonly variant: string
  readonly verdict: Verdict
}

/** Where the tutorial is shown: a terminal, plain lines, or docs/tutorial.md. */
export interface Stage {
  /** A step, with its number as on the page where it has one. */
  readonly heading: (text: string) => void
  /** Paragraphs; lines are wrapped by the stage. */
  readonly say: (text: string) => void
  /** A command that the reader can type. */
  readonly command: (text: string) => void
  /** A file, a part of a file, a log or an answer, word by word; `language` is that of a Markdown fence. */
  readonly show: (title: string, text: string, language: string) => void
  /** The picture of the path with what just travelled over each hop. */
  readonly travel: (hops: readonly Hop[]) => void
  /** Verdicts of cases, variants side by side. */
  readonly verdicts: (rows: readonly { readonly id: string; readonly variants: readonly VariantVerdict[] }[]) => void
  /** Progress of something that takes long. */
  readonly busy: (text: string) => void
  /** Waits for the reader, where there is one who can press Enter; rejects on Ctrl-C. */
  readonly pause: () => Promise<void>
}
