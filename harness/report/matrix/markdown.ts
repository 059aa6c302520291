import { VERDICTS } from '../../model/verdict.ts'
import type { Verdict } from '../../model/verdict.ts'
import { countsOf, HEADINGS, levelOf, MEANINGS, wordsOf } from './model.ts'
import type { MatrixCell, MatrixPage, MatrixPart, MatrixRow } from './model.ts'

/** The matrix as Markdown: a table for each suite, and below it what stands behind its cells. */
export function matrixMarkdown({ title, intro, parts }: MatrixPage): string {
  const seen = VERDICTS.filter((verdict) => parts.some((part) => countsOf(part).some((counts) => counts[verdict] > 0)))
  return [
    `# ${plain(title)}`,
    ...intro.flatMap((paragraph) => ['', plain(paragraph)]),
    '',
    ...table(
      ['verdict', 'meaning'],
      seen.map((verdict) => [verdict, MEANINGS[verdict]]),
    ),
    ...parts.flatMap((part) => partOf(part, seen)),
    '',
  ].join('\n')
}

function partOf(part: MatrixPart, seen: readonly Verdict[]): readonly string[] {
  const { columns, suites } = part
  const names = columns.map(({ name, href }) => (href === undefined ? plain(name) : `[${plain(name)}](${href})`))
  const counts = countsOf(part)
  const summary = columns.map(({ about }, at) => [
    names[at] ?? '',
    plain(about ?? ''),
    ...seen.map((verdict) => String(counts[at]?.[verdict] ?? 0)),
  ])
  return [
    '',
    `## ${HEADINGS[part.subject]}`,
    '',
    ...table([part.subject, 'what it is', ...seen], summary),
    ...suites.flatMap(({ id, rows }) => [
      '',
      `### ${plain(id)}`,
      '',
      ...table(
        ['case', 'level', ...columns.map(({ name }) => plain(name))],
        rows.map((row) => [
          `\`${row.id.slice(id.length + 1)}\` ${plain(row.title)}`,
          row.level,
          ...row.cells.map((cell) => shown(cell, row)),
        ]),
      ),
      ...detailsOf(
        rows,
        id,
        columns.map(({ name }) => plain(name)),
      ),
    ]),
  ]
}

function shown(cell: MatrixCell | undefined, row: MatrixRow): string {
  if (!cell) return '–'
  const words = wordsOf(cell)
  const level = levelOf(cell, row)
  const text = cell.verdict.startsWith('fail') ? `**${words}**` : words
  return level === undefined ? text : `${text}, ${level}`
}

/** Implementations with the same words behind their cells are told together. */
function detailsOf(rows: readonly MatrixRow[], suite: string, names: readonly string[]): readonly string[] {
  const items = rows.flatMap(({ id, cells }) => {
    const told = cells.flatMap((cell, at) => {
      const says = cell && saysOf(cell)
      return !cell || says === undefined ? [] : [{ says: `${wordsOf(cell)}: ${says}`, name: names[at] ?? '' }]
    })
    const lines = [...Map.groupBy(told, ({ says }) => says)].map(
      ([says, group]) => `  - ${group.map(({ name }) => name).join(', ')}: ${says}`,
    )
    return lines.length === 0 ? [] : [`- \`${id.slice(suite.length + 1)}\``, ...lines]
  })
  return items.length === 0 ? [] : ['', ...items]
}

/** The first finding, or the reason, and what is known of it. */
function saysOf({ finding, more, reason, known }: MatrixCell): string | undefined {
  const parts = [
    ...(finding
      ? [`${plain(finding.stimulus)}: expected ${plain(finding.expected)}, observed ${plain(finding.observed)}`]
      : []),
    ...(more === undefined ? [] : [`and ${more} more`]),
    ...(reason === undefined ? [] : [plain(reason)]),
    ...(known ? [`_${known.accepted ? 'accepted' : 'known'}:_ ${plain(known.reason)}`] : []),
  ]
  return parts.length === 0 ? undefined : parts.join('; ')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}

/** Text that stands for itself in Markdown, also in a table. */
function plain(text: string): string {
  return text
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(/[\\`*_[\]|~<&]/gu, (character) =>
      character === '<' ? '&lt;' : character === '&' ? '&amp;' : `\\${character}`,
    )
}
