import { writeFile } from 'node:fs/promises'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { EditionLevel } from '../harness/model/edition.ts'
import { ALL_SUITES, allCases } from './catalog.ts'
import type { AnySuite } from './catalog.ts'

/** Every case of the catalogue as an edition freezes it. */
export function frozen(suites: readonly AnySuite[]): Readonly<Record<string, EditionLevel>> {
  return Object.fromEntries(
    allCases<AnySuite>(suites).map(({ id, case: { level, drops } }) => [id, { level, ...(drops ? { drops } : {}) }]),
  )
}

/** The module of an edition. */
function editionText(name: string): string {
  const lines = Object.entries(frozen(ALL_SUITES)).map(([id, { level, drops }]) => {
    const dropped = drops ? `, drops: { without: '${drops.without}', to: '${drops.to}' }` : ''
    return `  '${id}': { level: '${level}'${dropped} },`
  })
  return [
    "import type { Edition } from '../../harness/model/edition.ts'",
    '',
    `/** Written by \`node suites/write-edition.ts ${name}\`; never changed once it is released. */`,
    'export const CASES = {',
    ...lines,
    "} as const satisfies Edition['cases']",
    '',
  ].join('\n')
}

/** Writes a new edition; one that is there is never written again. Resolves to the exit code. */
async function main([name = '']: readonly string[]): Promise<number> {
  if (!/^\d{4}\.\d+$/u.test(name)) {
    console.error('usage: node suites/write-edition.ts 2026.2')
    return 2
  }
  const file = fileURLToPath(new URL(`editions/${name}.ts`, import.meta.url))
  try {
    await writeFile(file, editionText(name), { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    console.error(`Edition ${name} is there, and editions are never changed; give the new one a name of its own.`)
    return 1
  }
  console.log(`Written: ${file}. Add it to suites/editions.ts, and its digest to suites/editions.test.ts.`)
  return 0
}

if (argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(argv.slice(2))
