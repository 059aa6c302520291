import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** Longest wait for the line that ends what an origin says of a request, in milliseconds. */
const DEADLINE_MS = 5_000

const POLL_MS = 10

/** Tornado's line about an answer of 400 and above; it comes behind the traceback, where there is one. */
const ANSWERED = /\b[45]\d\d (?:GET|POST) \//u

/** What the origin logged since it had so many lines, once it has told of its answer; nothing where it tells nothing. */
export async function loggedSince(log: () => readonly string[], mark: number): Promise<readonly string[]> {
  for (const began = Date.now(); Date.now() - began < DEADLINE_MS; await wait(POLL_MS)) {
    const lines = log().slice(mark)
    if (lines.some((line) => ANSWERED.test(line))) return lines
  }
  return log().slice(mark)
}

/** The lines without the frames of libraries: what is left of a traceback are the frames of the origin and its end. */
export function withoutLibraries(lines: readonly string[]): string {
  const kept: string[] = []
  let isSkipped = false
  for (const line of lines) {
    const file = /^\s+File "(?<file>[^"]+)"/u.exec(line)?.groups?.['file']
    if (file !== undefined) isSkipped = /\/(?:site-packages|dist-packages|lib\/python[\d.]+)\//u.test(file)
    // The source of a frame is indented more than the frame; what marks a place in it is no source.
    else if (!line.startsWith('    ')) isSkipped = false
    if (isSkipped || /^\s+[\^~]+\s*$/u.test(line)) continue
    kept.push(file === undefined ? line : line.replace(file, path.basename(file)))
  }
  return kept.join('\n')
}
