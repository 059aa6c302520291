import { styleText } from 'node:util'

/** Columns that prose keeps to. */
const WIDTH = 96

/** How a report is drawn. */
export interface Style {
  readonly colour: boolean
}

type Paint = Parameters<typeof styleText>[0]

/** The text in a colour, or as it is. */
export function paint(style: Style, format: Paint, text: string): string {
  return style.colour ? styleText(format, text, { validateStream: false }) : text
}

/** Prose wrapped at word boundaries, to the columns of a report where nothing else is said; further lines are indented to the first one. */
export function wrapped(label: string, text: string, indent: number, width: number = WIDTH): string {
  const first = `${' '.repeat(indent)}${label}`
  const rest = ' '.repeat(first.length)
  const lines: string[] = []
  let line = first
  for (const word of text.split(/\s+/u)) {
    const empty = line === first || line === rest
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line)
      line = rest
    }
    line += line === first || line === rest ? word : ` ${word}`
  }
  return [...lines, line].join('\n')
}

/** `1 case`, `2 cases`. */
export function counted(number: number, noun: string, plural: string = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`
}
