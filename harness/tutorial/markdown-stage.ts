import type { HeaderLines } from '../model/http.ts'
import { hopLines, pictureOf } from './drawing.ts'
import type { Hop, Stage } from './stage.ts'
import { steadied } from './steady.ts'

/** Columns of the blocks that show what travelled. */
const WIDTH = 100

const PLAIN = { colour: false } as const

const HEAD = `# The tutorial

What \`npm run tutorial -- --yes\` shows, written by the same command with \`--write docs/tutorial.md\`: every output here is that of a run, and a test compares it with another one. Ports, keys, tokens, times and identifiers differ from run to run, and are left out.
`

/** A stage that collects Markdown in which nothing differs between two runs. */
export interface MarkdownStage extends Stage {
  readonly text: () => string
}

/** Tells one stage what another is told, and collects Markdown of it. */
export function withMarkdown(shown: Stage): MarkdownStage {
  const document = markdownStage()
  const both =
    <T extends readonly unknown[]>(one: (...given: T) => void, other: (...given: T) => void) =>
    (...given: T): void => {
      one(...given)
      other(...given)
    }
  return {
    heading: both(shown.heading, document.heading),
    say: both(shown.say, document.say),
    command: both(shown.command, document.command),
    show: both(shown.show, document.show),
    travel: both(shown.travel, document.travel),
    verdicts: both(shown.verdicts, document.verdicts),
    busy: shown.busy,
    pause: shown.pause,
    text: document.text,
  }
}

function markdownStage(): Omit<MarkdownStage, 'busy' | 'pause'> {
  const blocks: string[] = []
  const fence = (text: string, language: string): void => {
    const mark = text.includes('```') ? '````' : '```'
    blocks.push(`${mark}${language}\n${text.trimEnd()}\n${mark}`)
  }
  return {
    heading(text) {
      blocks.push(`## ${prose(steadied(text))}`)
    },
    say(text) {
      for (const paragraph of text.trim().split(/\n\s*\n/u))
        blocks.push(prose(steadied(paragraph.replaceAll(/\s+/gu, ' '))))
    },
    command(text) {
      fence(steadied(text), 'sh')
    },
    show(title, text, language) {
      blocks.push(`${prose(steadied(title))}:`)
      fence(steadied(text), language)
    },
    travel(hops) {
      const lines = hops.flatMap((hop) => ['', ...hopLines(steadyHop(hop), PLAIN, WIDTH)])
      fence([...pictureOf(hops, PLAIN, WIDTH), ...lines].map((line) => withoutTime(line.trimEnd())).join('\n'), 'text')
    },
    verdicts(rows) {
      const variants = [...new Set(rows.flatMap((row) => row.variants.map(({ variant }) => variant)))]
      const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
      blocks.push(
        [
          line(['case', ...variants]),
          line(['---', ...variants.map(() => '---')]),
          ...rows.map(({ id, variants: said }) =>
            line([`\`${id}\``, ...variants.map((name) => said.find(({ variant }) => variant === name)?.verdict ?? '')]),
          ),
        ].join('\n'),
      )
    },
    text: () => `${HEAD}\n${blocks.join('\n\n')}\n`,
  }
}

/** What Markdown would take for its own stands as it is. */
function prose(text: string): string {
  return text.replaceAll(/[\\*<`]|(?<!\w)_/gu, String.raw`\$&`)
}

/** Before lines are broken: afterwards no pattern would be found again. */
function steadyHop(hop: Hop): Hop {
  const clean = (lines: HeaderLines): HeaderLines => lines.map(([name, value]) => [name, steadied(value)])
  return {
    ...hop,
    request: steadied(hop.request),
    headers: clean(hop.headers),
    answerHeaders: clean(hop.answerHeaders),
    answerBody: steadied(hop.answerBody),
    ...(hop.token ? { token: JSON.parse(steadied(JSON.stringify(hop.token))) as NonNullable<Hop['token']> } : {}),
  }
}

/** Without the time in words beside a number. */
function withoutTime(line: string): string {
  return line.replace(/ {2}\(\d\d:\d\d:\d\d UTC\)$/u, '')
}
