import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { TrustspecError } from '../model/errors.ts'
import { sentence } from '../model/errors.ts'
import { caseResult } from '../model/result.testing.ts'
import type { CaseResult, Report } from '../model/result.ts'
import { ownFolder, trustspec } from './cli.testing.ts'
import { matrixCommand } from './matrix.ts'

function result(id: string, verdict: CaseResult['verdict']): CaseResult {
  return caseResult(id, { title: 'does what it must', verdict })
}

function report(subject: Report['subject'], name: string | undefined, ...cases: readonly CaseResult[]): object {
  return { version: 1, subject, target: { kind: 'url', url: 'http://127.0.0.1', ...(name ? { name } : {}) }, cases }
}

const EXPIRED = 'origin/expired-tokens/exp-missing'

/** Writes the files into a folder of its own, and runs the command on the arguments with their paths. */
async function matrixOfFiles(
  files: Readonly<Record<string, unknown>>,
  args: readonly string[] = Object.keys(files),
  values: Readonly<Record<string, string>> = {},
): Promise<string> {
  const folder = await ownFolder()
  await Promise.all(
    Object.entries(files).map(([name, content]) =>
      writeFile(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content)),
    ),
  )
  const placed = args.map((arg) => arg.replace(/[^=]+$/u, (file) => path.join(folder, file)))
  const printed: string[] = []
  const where = Object.fromEntries(Object.entries(values).map(([flag, file]) => [flag, path.join(folder, file)]))
  expect(await matrixCommand({ positionals: placed, values: where }, (text) => printed.push(text))).toBe(0)
  const written = await Promise.all(Object.values(where).map((file) => readFile(file, 'utf8')))
  return [...printed, ...written].join('\n').replaceAll(folder, '')
}

async function refused(...given: Parameters<typeof matrixOfFiles>): Promise<string> {
  const error = await matrixOfFiles(...given).then(
    () => undefined,
    (reason: unknown) => reason as TrustspecError,
  )
  expect(error?.code).toBe('ERR_USAGE')
  return error ? sentence(error).replaceAll(/\/\S*\/(?=[^/\s]+)/gu, '') : ''
}

test('columns have the names of targets, of files, or those that are given; single reports and collections mix', async () => {
  const text = await matrixOfFiles(
    {
      'one.json': report('origin', 'orders', result(EXPIRED, 'pass')),
      'two.json': report('origin', undefined, result(EXPIRED, 'fail-open')),
      'all.json': {
        version: 1,
        reports: [
          report('origin', 'orders', result(EXPIRED, 'warn')),
          report('gateway', 'edge', result('gateway/token/claims', 'pass')),
        ],
      },
    },
    ['one.json', 'two.json', 'staging=all.json'],
  )

  expect(text).toContain('| case | level | orders | two | staging |')
  expect(text).toContain('`exp-missing` does what it must | MUST | pass | **fail-open** | warn |')
  expect(text).toMatch(/## Gateways[\s\S]+\| case \| level \| staging \|/u)
})

test('targets of the same name are called by their files', async () => {
  const files = {
    'before.json': report('origin', 'orders', result(EXPIRED, 'pass')),
    'after.json': report('origin', 'orders', result(EXPIRED, 'fail')),
  }

  expect(await matrixOfFiles(files)).toContain('| before | after |')
})

test('cases stand in the order of the catalogue', async () => {
  const cases = [result(EXPIRED, 'pass'), result('origin/signature/alg-none', 'pass')]
  const text = await matrixOfFiles({ 'a.json': report('origin', 'a', ...cases) })

  expect(text.indexOf('### origin/signature')).toBeLessThan(text.indexOf('### origin/expired-tokens'))
})

test('both files are written where both are asked for, and nothing is printed but where they are', async () => {
  const files = { 'a.json': report('origin', 'a', result(EXPIRED, 'pass')) }
  const text = await matrixOfFiles(files, ['a.json'], { html: 'm.html', markdown: 'm.md' })

  expect(text.startsWith('The matrix is in /m.html\n\nThe matrix is in /m.md\n\n<!doctype html>')).toBe(true)
  expect(text).toContain('# Verdicts side by side')
})

describe('what is no report is told by name', () => {
  const good = report('origin', 'a', result(EXPIRED, 'pass'))
  test.each([
    ['no JSON', { 'a.json': 'x' }, undefined, 'The report cannot be read (file a.json)'],
    ['no file', { 'a.json': good }, ['b.json'], 'The report cannot be read (file b.json)'],
    ['another version', { 'a.json': { ...good, version: 99 } }, undefined, 'no report of this version (file a.json)'],
    ['null', { 'a.json': 'null' }, undefined, 'no report of this version (file a.json)'],
    ['an empty collection', { 'a.json': { version: 1, reports: [] } }, undefined, 'no report of this version'],
    ['a case that is none', { 'a.json': { ...good, cases: [null] } }, undefined, 'no report of this version'],
    [
      'an unknown verdict',
      { 'a.json': { ...good, cases: [{ ...result(EXPIRED, 'pass'), verdict: 'fine' }] } },
      undefined,
      'no report of this version',
    ],
    ['one good, one bad', { 'a.json': good, 'b.json': '{}' }, undefined, 'no report of this version (file b.json)'],
    [
      'a name twice',
      { 'a.json': good },
      ['x=a.json', 'x=a.json'],
      'Two reports have the same name (name x, file a.json)',
    ],
    ['a file twice', { 'a.json': good }, ['a.json', 'a.json'], 'instead: NAME=a.json'],
  ] as const)('%s', async (_, files, args, says) => {
    expect(await refused(files, args)).toContain(says)
  })

  test('a file that cannot be written', async () => {
    expect(await refused({ 'a.json': good }, ['a.json'], { html: 'none/m.html' })).toContain(
      'cannot be written (--html m.html)',
    )
  })
})

test('the command has its help, and ends with 2 where nothing is given', async () => {
  const folder = await ownFolder()
  const [help, none] = await Promise.all([trustspec(folder, ['matrix', '--help']), trustspec(folder, ['matrix'])])

  expect(help).toMatchObject({ code: 0, out: expect.stringContaining('--markdown FILE') })
  expect(none).toMatchObject({ code: 2, err: expect.stringContaining('No report is given') })
})
