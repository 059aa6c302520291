import { paint, wrapped } from '../report/text.ts'
import type { Style } from '../report/text.ts'
import { clipped, hopLines, pictureOf } from './drawing.ts'
import type { Stage } from './stage.ts'
import { verdictLines } from './verdict-table.ts'

/** Columns that are used of a terminal, however wide it is, and where there is none. */
const MOST_COLUMNS = 100
const LEAST_COLUMNS = 40

/** The reader has read enough: everything ends, and nothing is wrong. */
export class TutorialEnded extends Error {
  override readonly name = 'TutorialEnded'
}

/** Where a tutorial is shown. */
export interface ConsoleStageOptions {
  readonly print: (text: string) => void
  /** A line about something that takes long. */
  readonly note: (line: string) => void
  readonly style: Style
  /** Of the terminal; undefined where there is none. */
  readonly columns: number | undefined
  /** The keyboard of a reader who is to press Enter; undefined runs through. */
  readonly keyboard?: NodeJS.ReadStream
  readonly signal: AbortSignal
}

/** A stage on a terminal, or in plain lines where colours and keys are not to be had. */
export function consoleStage({ print, note, style, columns, keyboard, signal }: ConsoleStageOptions): Stage {
  const width = Math.max(LEAST_COLUMNS, Math.min(MOST_COLUMNS, columns ?? MOST_COLUMNS))
  const lines = (...texts: readonly string[]): void => {
    print(`${texts.join('\n')}\n`)
  }
  return {
    heading(text) {
      lines('', paint(style, ['bold', 'cyan'], wrapped('', text, 0, width)), paint(style, 'cyan', '─'.repeat(width)))
    },
    say(text) {
      for (const paragraph of text.trim().split(/\n\s*\n/u)) lines('', wrapped('', paragraph, 0, width))
    },
    command(text) {
      const [first = '', ...rest] = text.trimEnd().split('\n')
      lines('', paint(style, 'green', [`  $ ${first}`, ...rest.map((line) => `    ${line}`)].join('\n')))
    },
    show(title, text, language) {
      lines('', paint(style, 'bold', `  ${title}`))
      const bar = paint(style, 'dim', '│')
      for (const line of text.trimEnd().split('\n')) {
        for (const part of clipped(line, width - 4)) lines(`  ${bar} ${painted(part, language, style)}`)
      }
    },
    travel(hops) {
      const picture = pictureOf(hops, style, width)
      if (picture.length > 0) lines('', ...picture)
      for (const hop of hops) lines('', ...hopLines(hop, style, width))
    },
    verdicts(rows) {
      lines('', ...verdictLines(rows, style, width))
    },
    busy(text) {
      note(paint(style, 'dim', `… ${text}`))
    },
    async pause() {
      signal.throwIfAborted()
      if (!keyboard) return
      print(`\n${paint(style, 'inverse', ' Enter: go on · q: end ')} `)
      try {
        await pressed(keyboard, signal)
      } finally {
        print('\r\u001B[K')
      }
    },
  }
}

/** Lines that a diff adds and takes away, in colour. */
function painted(line: string, language: string, style: Style): string {
  if (language !== 'diff') return line
  if (line.startsWith('+')) return paint(style, 'green', line)
  if (line.startsWith('-')) return paint(style, 'red', line)
  return line
}

/** Resolves on Enter; rejects with TutorialEnded on q, and where the keyboard goes away. */
async function pressed(keyboard: NodeJS.ReadStream, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const end = (): void => {
    reject(new TutorialEnded('The reader has ended the tutorial'))
  }
  const abort = (): void => {
    reject(signal.reason as Error)
  }
  const read = (octets: Buffer): void => {
    for (const key of octets.toString()) {
      if (key === '\r' || key === '\n') resolve()
      // Ctrl-D, and Ctrl-C, which is an octet like any other while keys are read one by one.
      else if (key === 'q' || key === 'Q' || key === '\u0004') end()
      else if (key === '\u0003') process.kill(process.pid, 'SIGINT')
    }
  }
  keyboard.setRawMode(true)
  keyboard.on('data', read).once('end', end).once('close', end)
  signal.addEventListener('abort', abort)
  keyboard.resume()
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', abort)
    keyboard.off('data', read).off('end', end).off('close', end)
    keyboard.setRawMode(false)
    keyboard.pause()
  }
}
