import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Report } from '../model/result.ts'
import { EXIT } from '../model/verdict.ts'
import type { ExitCode } from '../model/verdict.ts'
import { writeWhole } from '../report/files.ts'
import { casesOf, columnOf } from '../report/matrix/columns.ts'
import { matrixHtml } from '../report/matrix/html.ts'
import { matrixMarkdown } from '../report/matrix/markdown.ts'
import { matrixOf } from '../report/matrix/model.ts'
import type { MatrixPage } from '../report/matrix/model.ts'
import { ALL_SUITES, allCases } from '../../suites/catalog.ts'
import type { AnySuite } from '../../suites/catalog.ts'
import { textOf, usage } from './args.ts'
import type { Given } from './args.ts'
import { readReports } from './reports.ts'

const LINE = 'trustspec matrix [NAME=]R1.json [NAME=]R2.json …'

/** A report, and what its column is called. */
interface Named {
  readonly name: string
  readonly file: string
  readonly report: Report
}

/** Writes many reports side by side to the files that are asked for, or prints them as Markdown. */
export async function matrixCommand(given: Given, print: (text: string) => void): Promise<ExitCode> {
  if (given.positionals.length === 0) throw usage('No report is given', { instead: LINE })
  const named = distinct(given.positionals.flatMap(reportsOf))
  const page = pageOf(named)
  const files = [
    ['html', matrixHtml],
    ['markdown', matrixMarkdown],
  ] as const
  const asked = files.flatMap(([flag, render]) => {
    const file = textOf(given, flag)
    return file === undefined ? [] : [{ file, flag, render }]
  })
  if (asked.length === 0) print(matrixMarkdown(page))
  for (const { file, flag, render } of asked) {
    await writeWhole(render(page), file, `--${flag}`)
    print(`The matrix is in ${file}\n`)
  }
  return EXIT.conforms
}

function pageOf(named: readonly Named[]): MatrixPage {
  const cases = casesOf(
    named.map(({ report }) => report),
    allCases<AnySuite>(ALL_SUITES).map(({ id }) => id),
  )
  const columns = named.map(({ name, report }) => columnOf(name, report))
  return { title: 'Verdicts side by side', intro: [], parts: matrixOf(cases, columns) }
}

/** `NAME=FILE`; what has a slash before the sign, or is the name of a file as it stands, is a file. */
function reportsOf(text: string): readonly (Omit<Named, 'name'> & { readonly name?: string })[] {
  const [, name, rest] = /^([^/=]+)=(.+)$/su.exec(text) ?? []
  const isNamed = name !== undefined && rest !== undefined && !existsSync(text)
  const file = isNamed ? rest : text
  return readReports(file).map((report) => ({ file, report, ...(isNamed ? { name } : {}) }))
}

/** Targets are called by their names; without one, or where two have the same, by their files. */
function distinct(given: ReturnType<typeof reportsOf>): readonly Named[] {
  const first = given.map((one) => ({ ...one, name: one.name ?? one.report.target?.name ?? stem(one.file) }))
  const named = first.map((one, at) =>
    given[at]?.name === undefined && isTaken(one, first) ? { ...one, name: stem(one.file) } : one,
  )
  const twice = named.find((one) => isTaken(one, named))
  if (twice) {
    throw usage('Two reports have the same name', { name: twice.name, file: twice.file, instead: `NAME=${twice.file}` })
  }
  return named
}

function isTaken({ name, report }: Named, among: readonly Named[]): boolean {
  return among.filter((one) => one.name === name && one.report.subject === report.subject).length > 1
}

function stem(file: string): string {
  return path.basename(file, path.extname(file))
}
