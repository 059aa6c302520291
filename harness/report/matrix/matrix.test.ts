import { expect, test } from 'vitest'
import { matrixHtml } from './html.ts'
import { matrixMarkdown } from './markdown.ts'
import { PAGE, pageOf, PARTIAL, result, SOUND } from './matrix.testing.ts'
import type { Tested } from './matrix.testing.ts'

test('cases are in the order of the catalogue, unknown ones at the end of their suite, and kinds stand apart', () => {
  const shown = PAGE.parts.map(({ columns, suites }) => [
    columns.map(({ name }) => name),
    suites.map(({ id, rows }) => [id, rows.map((row) => row.id)]),
  ])

  expect(shown).toEqual([
    [
      ['sound', 'flawed', 'partial'],
      [['origin/claims', ['origin/claims/one', 'origin/claims/two', 'origin/claims/of-tomorrow']]],
    ],
    [['edge'], [['gateway/token', ['gateway/token/three']]]],
  ])
})

test('a row differs where two that were judged got something else; what was not run is no verdict', () => {
  const [one, two, tomorrow] = PAGE.parts[0]?.suites[0]?.rows ?? []

  expect(one?.cells.map((cell) => cell?.verdict)).toEqual(['pass', 'fail-open', 'skip'])
  expect(one?.differs).toBe(true)
  expect(two?.cells.map((cell) => cell?.verdict)).toEqual(['pass', undefined, 'inconclusive'])
  expect(two?.differs).toBe(false)
  expect(tomorrow?.cells.map((cell) => cell?.nature)).toEqual([undefined, 'fail-closed', undefined])
})

test('two kinds of failure of a recommendation differ', () => {
  const other = result('origin/claims/one', { verdict: 'warn', nature: 'fail-crash' })
  const same: Tested = {
    subject: 'origin',
    cases: [result('origin/claims/one', { verdict: 'warn', nature: 'fail-open' })],
  }
  const differs = (last: Tested) => pageOf(['a', same], ['b', last]).parts[0]?.suites[0]?.rows[0]?.differs

  expect(differs({ subject: 'origin', cases: [other] })).toBe(true)
  expect(differs(same)).toBe(false)
})

test('a case that only other reports have is no row of a part without it', () => {
  const [part] = pageOf(['sound', { ...SOUND, cases: SOUND.cases.slice(1) }]).parts

  expect(part?.suites.flatMap(({ rows }) => rows.map(({ id }) => id))).toEqual(['origin/claims/one'])
})

test('Markdown has a table for each suite, and below it what is behind the cells', () => {
  const text = matrixMarkdown(PAGE)

  expect(text).toContain(
    [
      '### origin/claims',
      '',
      '| case | level | sound | flawed | partial |',
      '| --- | --- | --- | --- | --- |',
      '| `one` meets origin/claims/one | MUST | pass | **fail-open** | skip |',
      '| `two` meets origin/claims/two | MUST | pass | – | inconclusive |',
      '| `of-tomorrow` meets origin/claims/of-tomorrow | SHOULD | – | warn (fail-closed) | – |',
      '',
      '- `one`',
    ].join('\n'),
  )
  expect(text).toContain('  - partial: skip: Missing: a route with a scope.\n')
  expect(text).toContain('and 1 more; _known:_ The library does not look.\n')
  expect(text).toContain(
    String.raw`&lt;script>alert(1)&lt;/script> \| \*x\* \[a\](b) \`c\`: expected refused, observed status 200`,
  )
})

test('implementations with the same words behind a case are told together', () => {
  expect(matrixMarkdown(pageOf(['a', PARTIAL], ['b', PARTIAL]))).toContain(
    '  - a, b: inconclusive: Nothing answered.\n',
  )
})

test('HTML escapes what comes from reports, and has the detail of each cell in reach without a script', () => {
  const text = matrixHtml(PAGE)
  const targets = [...text.matchAll(/<td[^>]*><button[^>]* popovertarget="([^"]+)"/gu)].map(([, id]) => id)
  const details = [...text.matchAll(/<article popover id="([^"]+)"/gu)].map(([, id]) => id)

  expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt; | *x* [a](b) `c`')
  expect(text.match(/<script/gu)).toHaveLength(1)
  expect(targets).toEqual(['origin/claims/one/1', 'origin/claims/one/2', 'origin/claims/two/2'])
  expect(details).toEqual(targets)
  expect(text).toContain('<dt>observed</dt><dd>status 200</dd>')
  expect(text).toContain('<a href="https://example.com/clause"')
  expect(text).not.toMatch(/\b(?:src|srcset)=|@import|url\(/u)
})

test('a level that was applied otherwise is told in the cell', () => {
  const dropped: Tested = { subject: 'origin', cases: [result('origin/claims/one', { level: 'SHOULD' })] }
  const page = pageOf(['full', { subject: 'origin', cases: [result('origin/claims/one')] }], ['dropped', dropped])

  expect(matrixMarkdown(page)).toContain('| MUST | pass | pass, SHOULD |')
  expect(matrixHtml(page)).toContain('pass</span><small>SHOULD</small>')
})
