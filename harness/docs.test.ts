import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../', import.meta.url))

function markdown(folder: string): readonly string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.includes('node_modules'))
    .map((file) => path.join(folder, file))
}

const FILES = [
  'README.md',
  'CONTRIBUTING.md',
  'CATALOG.md',
  ...markdown('docs'),
  ...markdown('origins'),
  ...markdown('fixtures'),
]

test.each(FILES)('links of %s lead to files that exist', (file) => {
  const text = readFileSync(path.join(ROOT, file), 'utf8')
  const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/gu)].map(([, target = '']) => target)

  const local = links.filter((target) => !/^https?:/u.test(target))
  expect(local.filter((target) => !existsSync(path.join(ROOT, path.dirname(file), target)))).toEqual([])
})

test('the README links to what it promises', () => {
  const text = readFileSync(path.join(ROOT, 'README.md'), 'utf8')

  for (const target of ['CATALOG.md', 'docs/kill-matrix.md', 'harness/report/report.schema.json']) {
    expect(text).toContain(`(${target})`)
  }
})
