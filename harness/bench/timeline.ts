import type { JournalEntry } from '../issuer/journal.ts'
import type { IssuerResponse } from '../model/jwks.ts'
import type { TimelineEntry } from '../model/result.ts'

/** Entries of one case that are kept: what is alike in a row is one. */
const MOST = 100

/** What happens beside the stimuli of one case. What it says comes from the harness alone, so that no secret gets in. */
export class Timeline {
  // The journals that it is filled from tell time since the epoch.
  readonly #startedAt = Date.now()
  readonly #noted: TimelineEntry[] = []
  #isOver = false

  /** `at`: milliseconds since the epoch; left out, now. */
  note(kind: TimelineEntry['kind'], says: string, at: number = Date.now()): void {
    if (!this.#isOver) this.#noted.push({ atMs: Math.max(0, Math.round(at - this.#startedAt)), kind, says })
  }

  /** Ends it: what undoes the changes of the case is not part of it. */
  close(): void {
    this.#isOver = true
  }

  /** In order of time, with what is alike in a row as one. */
  entries(): readonly TimelineEntry[] {
    const rows: { entry: TimelineEntry; times: number }[] = []
    for (const entry of this.#noted.toSorted((one, other) => one.atMs - other.atMs)) {
      const last = rows.at(-1)
      if (last && last.entry.kind === entry.kind && last.entry.says === entry.says) last.times += 1
      else rows.push({ entry, times: 1 })
    }
    const told = rows.map(({ entry, times }) =>
      times === 1 ? entry : { ...entry, says: `${entry.says}, ${times} times in a row` },
    )
    const [next] = told.slice(MOST)
    return next ? [...told.slice(0, MOST), { ...next, says: `and ${told.length - MOST} more` }] : told
  }
}

/** Seconds as they are told: to the tenth. */
export function told(seconds: number): string {
  return `${Number(seconds.toFixed(1))} s`
}

/** What the issuer was asked for, for the timeline. */
export function fetchSays({ endpoint, served, status }: JournalEntry): string {
  const what =
    endpoint === 'jwks'
      ? 'the JWKS'
      : endpoint === 'discovery'
        ? 'the metadata of the issuer'
        : 'something else of the issuer'
  const answer = status === 0 ? 'no status' : `status ${status}`
  return `${what} is fetched: ${answer}${served === 'document' ? '' : ` (${served})`}`
}

/** What a scripted answer does, for the timeline. */
export function faultSays(response: IssuerResponse, endpoint: 'jwks' | 'discovery'): string {
  const { status, headers, delayMs, document, body, name } = response
  const parts = [
    ...(name === undefined ? [] : [name]),
    ...(status === undefined ? [] : [`answers with status ${status}`]),
    ...(response.hang ? ['hangs'] : []),
    ...(response.reset ? ['resets the connection'] : []),
    ...(response.refuse ? ['closes without an answer'] : []),
    ...(response.truncate ? ['stops half-way'] : []),
    ...(response.endless ? ['never ends'] : []),
    ...(response.redirect === undefined ? [] : ['redirects']),
    ...(delayMs === undefined ? [] : [`waits ${delayMs} ms`]),
    ...(response.dripMs === undefined ? [] : [`sends an octet each ${response.dripMs} ms`]),
    ...(response.padding === undefined ? [] : [`begins with ${response.padding} octets of white space`]),
    ...(response.gzip ? ['is compressed'] : []),
    ...(document !== undefined || body !== undefined ? ['has another body'] : []),
    ...(headers === undefined ? [] : Object.entries(headers).map(([field, value]) => `sends ${field}: ${value}`)),
    ...(response.etag === undefined ? [] : [response.etag ? 'sends an ETag' : 'sends no ETag']),
  ]
  const what = endpoint === 'jwks' ? 'the JWKS' : 'the metadata of the issuer'
  return `${what} from now on: ${parts.join(', ') || 'scripted'}`
}
