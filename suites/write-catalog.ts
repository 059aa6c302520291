import { readFile, writeFile } from 'node:fs/promises'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import { CLAUSES } from '../harness/model/clauses.ts'
import { ALL_SUITES } from './catalog.ts'
import type { AnySuite } from './catalog.ts'
import { CURRENT_EDITION, editionOf } from './editions.ts'

type AnyCase = AnySuite['cases'][number]

/** Where the catalogue is committed. */
export const CATALOG_FILE = fileURLToPath(new URL('../CATALOG.md', import.meta.url))

/** The suites as Markdown, one table each. */
export function catalogMarkdown(suites: readonly AnySuite[]): string {
  const cases = suites.flatMap((suite): readonly AnyCase[] => suite.cases)
  return [
    '# Catalogue of cases',
    '',
    'Written by `node suites/write-catalog.ts` from the sources in `suites/`; do not edit.',
    '',
    `${cases.length} cases: ${countsOf(cases)}. A case that needs what is not there is skipped, and the report says so.`,
    '',
    `"Edition" is the one that a case came with; ${CURRENT_EDITION} counts where no other one is chosen, and what comes later runs without a say in the exit code.`,
    ...suites.flatMap(sectionOf),
    '',
  ].join('\n')
}

function sectionOf(suite: AnySuite): readonly string[] {
  return [
    '',
    `## ${suite.id}`,
    '',
    `${suite.title}: ${countsOf(suite.cases)}.`,
    '',
    `| case | level | the ${suite.id.replace(/\/.*$/u, '')} … | clauses | needs | edition |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...suite.cases.map((item) => rowOf(suite, item)),
  ]
}

function rowOf(suite: AnySuite, { id, level, drops, title, clause, needs }: AnyCase): string {
  const dropped = drops ? `, ${drops.to} without \`${drops.without}\`` : ''
  const clauses = clause.map((key) => `[${CLAUSES[key].title.replace(/: .*$/u, '')}](${CLAUSES[key].url})`)
  const cells = [
    `\`${id}\``,
    `${level}${dropped}`,
    title,
    clauses.join('; '),
    needs.map((need) => `\`${need}\``).join(', ') || 'nothing',
    editionOf(`${suite.id}/${id}`),
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`
}

function countsOf(cases: readonly AnyCase[]): string {
  return (['MUST', 'SHOULD', 'MAY', 'INFO'] as const)
    .map((level) => ({ level, count: cases.filter((item) => item.level === level).length }))
    .filter(({ count }) => count > 0)
    .map(({ level, count }) => `${count} ${level}`)
    .join(', ')
}

/** Writes the catalogue, or with `--check` tells whether the committed one is current; resolves to the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const text = catalogMarkdown(ALL_SUITES)
  if (!args.includes('--check')) {
    await writeFile(CATALOG_FILE, text)
    return 0
  }
  if ((await readFile(CATALOG_FILE, 'utf8').catch(() => '')) === text) return 0
  console.error('CATALOG.md is not current: run node suites/write-catalog.ts')
  return 1
}

if (argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(argv.slice(2))
