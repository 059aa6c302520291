import type { Verdict } from '../model/verdict.ts'
import { paint } from '../report/text.ts'
import type { Style } from '../report/text.ts'
import type { Stage } from './stage.ts'

type Rows = Parameters<Stage['verdicts']>[0]

/** Cases and what they said of each variant: a table, or one under the other where the terminal is too narrow. */
export function verdictLines(rows: Rows, style: Style, width: number): readonly string[] {
  const variants = [...new Set(rows.flatMap(({ variants }) => variants.map(({ variant }) => variant)))]
  const idColumn = Math.max(4, ...rows.map(({ id }) => id.length))
  const columns = variants.map((variant) =>
    Math.max(variant.length, ...rows.map(({ variants }) => verdictOf(variants, variant).length)),
  )
  const table = 2 + idColumn + columns.reduce((sum, column) => sum + 2 + column, 0)
  if (table > width) {
    return rows.flatMap(({ id, variants }) => [
      `  ${id}`,
      ...variants.map(({ variant, verdict }) => `    ${variant.padEnd(12)} ${coloured(verdict, style)}`),
    ])
  }
  const heads = variants.map((variant, at) => `  ${variant.padEnd(columns[at] ?? 0)}`).join('')
  return [
    paint(style, 'bold', `  ${'case'.padEnd(idColumn)}${heads}`.trimEnd()),
    ...rows.map(({ id, variants: said }) => {
      const cells = variants.map((variant, at) => {
        const verdict = verdictOf(said, variant)
        // Spaces stay outside of the colour, and none end the line.
        const space = at === variants.length - 1 ? '' : ' '.repeat((columns[at] ?? 0) - verdict.length)
        return `  ${coloured(verdict, style)}${space}`
      })
      return `  ${id.padEnd(idColumn)}${cells.join('')}`.trimEnd()
    }),
  ]
}

function verdictOf(variants: Rows[number]['variants'], variant: string): Verdict | '' {
  return variants.find((one) => one.variant === variant)?.verdict ?? ''
}

function coloured(verdict: Verdict | '', style: Style): string {
  if (verdict === '') return ''
  if (verdict === 'pass') return paint(style, 'green', verdict)
  if (verdict === 'warn') return paint(style, 'yellow', verdict)
  return paint(style, verdict.startsWith('fail') ? 'red' : 'dim', verdict)
}
