import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ALL_SUITES, allCases } from '../../suites/catalog.ts'
import type { AnySuite } from '../../suites/catalog.ts'
import type { Subject } from '../model/case.ts'
import { CLAUSES } from '../model/clauses.ts'
import type { Report } from '../model/result.ts'
import type { Verdict } from '../model/verdict.ts'
import { columnOf } from '../report/matrix/columns.ts'
import { matrixOf, wordsOf } from '../report/matrix/model.ts'
import type { MatrixCase, MatrixCell, MatrixColumn, MatrixPage } from '../report/matrix/model.ts'
import { implementations } from './implementations.ts'

/** Where what was found is kept. */
export const DATA_FILE = fileURLToPath(new URL('../../docs/matrix.json', import.meta.url))

/** A column as it is kept: a verdict alone where there is nothing else to a cell. */
export interface Recorded {
  readonly name: string
  readonly subject: Subject
  readonly cells: Readonly<Record<string, Verdict | MatrixCell>>
}

/** The columns that are kept. */
export function readRecorded(): readonly Recorded[] {
  return (JSON.parse(readFileSync(DATA_FILE, 'utf8')) as { readonly columns: readonly Recorded[] }).columns
}

/** The text of the file, one cell on a line. */
export function recordedText(columns: readonly Recorded[]): string {
  const parts = columns.map(({ name, subject, cells }) => {
    const lines = Object.entries(cells).map(([id, cell]) => `        ${JSON.stringify(id)}: ${JSON.stringify(cell)}`)
    const head = `      "name": ${JSON.stringify(name)},\n      "subject": ${JSON.stringify(subject)},\n`
    return `    {\n${head}      "cells": {\n${lines.join(',\n')}\n      }\n    }`
  })
  return `{\n  "columns": [\n${parts.join(',\n')}\n  ]\n}\n`
}

/** What is kept of a report: nothing that another run on another machine would tell otherwise. */
export function recordedOf(name: string, report: Report, before?: Recorded): Recorded {
  const { subject, cells } = columnOf(name, report)
  const levels = new Map(catalogue().map(({ id, level }) => [id, level]))
  const findings = new Map(report.cases.map((one) => [one.id, one.findings]))
  const kept = Object.entries(cells).map(([id, { level, reason, ...rest }]) => {
    const cell: MatrixCell = {
      ...rest,
      ...(level === undefined || level === levels.get(id) ? {} : { level }),
      // What was not seen besides a finding is a matter of time.
      ...(reason === undefined || rest.finding ? {} : { reason }),
    }
    return [id, steady(cell, before?.cells[id], findings.get(id) ?? [])] as const
  })
  return { name, subject, cells: Object.fromEntries(kept) }
}

/** The cell as it was where that is still true but for numbers: findings come in any order, and some are measured. */
function steady(
  cell: MatrixCell,
  before: Recorded['cells'][string] | undefined,
  findings: readonly NonNullable<MatrixCell['finding']>[],
): Recorded['cells'][string] {
  const found = findings.map(({ stimulus, expected, observed }) => ({ stimulus, expected, observed }))
  const ways = cell.finding ? found.map((finding) => ({ ...cell, finding })) : [cell]
  const texts = ways.map((way) => JSON.stringify(way).replaceAll(/(?<=127\.0\.0\.1:)\d+/gu, 'PORT'))
  const bare = (text: string): string => text.replaceAll(/\d+/gu, '#')
  if (typeof before === 'object' && texts.some((text) => bare(text) === bare(JSON.stringify(before)))) return before
  return Object.keys(cell).length === 1 ? cell.verdict : (JSON.parse(texts[0] ?? '') as MatrixCell)
}

/** The page that the columns make. */
export function pageOf(columns: readonly Recorded[]): MatrixPage {
  const found = implementations().flatMap((one): readonly MatrixColumn[] => {
    const own = columns.find(({ name, subject }) => name === one.name && subject === one.subject)
    const cells = Object.entries(own?.cells ?? {}).map(
      ([id, cell]) => [id, typeof cell === 'string' ? { verdict: cell } : cell] as const,
    )
    return [{ ...one, cells: Object.fromEntries(cells) }]
  })
  return {
    title: 'Origins and gateways, case by case',
    intro: [
      'What trustspec found of each sample origin and of each gateway that comes with it. A run of the tests compares every verdict; "npm run matrix" writes this document anew.',
      'A finding is about the configuration that its README describes and the version that is named there, not about a product as such. What is skipped was not judged, and says nothing for or against.',
    ],
    parts: matrixOf(catalogue(), found),
  }
}

/** Every case of the catalogue as a row. */
function catalogue(): readonly MatrixCase[] {
  return allCases<AnySuite>(ALL_SUITES).map(({ id, suite, case: { title, level, clause, remedy } }) => ({
    id,
    suite: suite.id,
    title,
    level,
    clause: clause.map((key) => ({ id: key, ...CLAUSES[key] })),
    remedy,
  }))
}

/** Cases in which a report says otherwise than what is kept. */
export function differences(report: Report, kept: Recorded): readonly string[] {
  const found = columnOf(kept.name, report).cells
  return [...new Set([...Object.keys(kept.cells), ...Object.keys(found)])].flatMap((id) => {
    const [cell, was] = [found[id], kept.cells[id]]
    const [before, now] = [typeof was === 'object' ? wordsOf(was) : was, cell && wordsOf(cell)]
    return before === now ? [] : [`${id}: ${before ?? 'nothing'} in docs/matrix.json, ${now ?? 'nothing'} here`]
  })
}
