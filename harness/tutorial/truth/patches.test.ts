import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { allCases, GATEWAY_SUITES, SUITES } from '../../../suites/catalog.ts'
import { TrustspecError } from '../../model/errors.ts'
import { bundledOrigin } from '../../targets/bundled.ts'
import { HIDDEN_FAULTS, PATH_FAULTS } from './faults.ts'
import { PATCHES } from './patches.ts'
import { copyOf, mend } from './variant.ts'

const FAULTS = [...PATH_FAULTS, ...HIDDEN_FAULTS]

/** Python without comments, docstring of the module and trailing space. */
function code(text: string): readonly string[] {
  return text
    .replace(/^"""[^"]*"""\n/u, '')
    .split('\n')
    .map((line) => line.replace(/^\s*# .*$/u, '').trimEnd())
    .filter((line) => line !== '')
}

test('every fault names a case of the catalogue', () => {
  const ids = new Set([...allCases(SUITES), ...allCases(GATEWAY_SUITES)].map(({ id }) => id))

  expect(FAULTS.map((fault) => fault.case).filter((id) => !ids.has(id))).toEqual([])
})

test('every step belongs to a fault, and is applied in the order of the faults', () => {
  expect(FAULTS.flatMap(({ patch }) => (patch === undefined ? [] : [patch]))).toEqual(Object.keys(PATCHES))
})

test('the published origin with the steps of the faults on the path is the repaired one, comments aside', async () => {
  using variant = await copyOf('tornado-as-published')
  for (const { patch } of PATH_FAULTS) if (patch !== undefined) await mend(variant.folder, PATCHES[patch])
  const mended = await readFile(path.join(variant.folder, 'app.py'), 'utf8')
  const repaired = await readFile(path.join(bundledOrigin('tornado-repaired').folder, 'app.py'), 'utf8')

  expect(code(mended)).toEqual(code(repaired))
})

test('after all steps no comment tells of a fault that is mended', async () => {
  using variant = await copyOf('tornado-as-published')
  for (const { patch } of FAULTS) if (patch !== undefined) await mend(variant.folder, PATCHES[patch])
  const mended = await readFile(path.join(variant.folder, 'app.py'), 'utf8')

  expect(mended.match(/# FAULT: .*/gu)).toEqual(['# FAULT: tells the caller what the library said.'])
})

test('a step that does not apply is an error, and changes nothing', async () => {
  using variant = await copyOf('tornado-as-published')
  const file = path.join(variant.folder, 'app.py')
  const before = await readFile(file, 'utf8')

  await expect(mend(variant.folder, PATCHES.exp)).rejects.toThrow(TrustspecError)
  expect(await readFile(file, 'utf8')).toBe(before)
})
