import { fileURLToPath, pathToFileURL } from 'node:url'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { launch, whyNoBrowser } from '../html/browser.testing.ts'
import { matrixHtml } from './html.ts'
import { PAGE } from './matrix.testing.ts'

const COMMITTED = pathToFileURL(fileURLToPath(new URL('../../../docs/matrix.html', import.meta.url))).href

if (whyNoBrowser !== undefined) console.log(`Not tested here, because ${whyNoBrowser}: the page of the matrix.`)

describe.runIf(whyNoBrowser === undefined)('the page of the matrix, in a browser', () => {
  let browser: Browser
  let folder = ''
  let own = ''
  beforeAll(async () => {
    browser = await launch()
    folder = await mkdtemp(path.join(tmpdir(), 'trustspec-matrix-'))
    const file = path.join(folder, 'matrix.html')
    await writeFile(file, matrixHtml(PAGE))
    own = pathToFileURL(file).href
  })
  afterAll(async () => {
    await browser.close()
    await rm(folder, { recursive: true })
  })

  /** The page; what goes wrong in it, and what it would fetch, fails the test that opened it. */
  async function opened(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const wrong: string[] = []
    page.on('console', (message) => wrong.push(message.text()))
    page.on('pageerror', (error) => wrong.push(error.message))
    page.on('request', (request) => {
      if (request.url() !== url && !request.url().startsWith('data:')) wrong.push(request.url())
    })
    onTestFinished(async () => {
      await context.close()
      expect(wrong).toEqual([])
    })
    await page.goto(url)
    return page
  }

  const rowsOf = (page: Page): Promise<readonly string[]> =>
    page.locator('tr[data-verdicts]:visible').evaluateAll((rows) => rows.map(({ id }) => id))

  test('filters by words, also of findings, by suite, by verdict and by difference', async () => {
    const page = await opened(own)
    const [search, suite, verdict, differs, output] = [
      page.getByLabel('Search'),
      page.locator('select[name=suite]'),
      page.locator('select[name=verdict]'),
      page.getByLabel('only differences'),
      page.locator('output'),
    ]
    expect(await rowsOf(page)).toHaveLength(4)
    await search.fill('status 200')
    expect(await rowsOf(page)).toEqual(['origin/claims/one'])
    expect(await output.textContent()).toBe('1 of 4 cases')
    expect(await page.locator('section#gateway').isVisible()).toBe(false)
    await search.fill('')
    await suite.selectOption('gateway/token')
    expect(await rowsOf(page)).toEqual(['gateway/token/three'])
    await suite.selectOption('all')
    await verdict.selectOption('warn')
    expect(await rowsOf(page)).toEqual(['origin/claims/of-tomorrow'])
    await verdict.selectOption('any')
    await differs.check()
    expect(await rowsOf(page)).toEqual(['origin/claims/one'])
  })

  test('the keyboard moves between the cells, opens what is behind one, and closes it', async () => {
    const page = await opened(own)
    const focused = async (): Promise<string | null | undefined> =>
      (await page.locator(':focus').evaluateAll((all) => all.map((one) => one.getAttribute('popovertarget'))))[0]
    const open = page.locator('article:popover-open')

    await page.locator('table.matrix button').first().focus()
    await page.keyboard.press('ArrowRight')
    expect(await focused()).toBe('origin/claims/one/2')
    await page.keyboard.press('ArrowDown')
    expect(await focused()).toBe('origin/claims/two/2')
    await page.keyboard.press('ArrowLeft')
    expect(await focused()).toBe('origin/claims/two/2')
    await page.keyboard.press('Enter')
    expect(await open.textContent()).toContain('Nothing answered.')
    await page.keyboard.press('Escape')
    expect(await open.count()).toBe(0)
    expect(await focused()).toBe('origin/claims/two/2')
    // One stop for the whole table: Tab leaves it.
    await page.keyboard.press('Tab')
    expect((await focused()) ?? '').not.toContain('origin')
  })

  test('without a script all is there: the table, what is behind its cells, and no filter that would do nothing', async () => {
    const page = await opened(own, { javaScriptEnabled: false })

    expect(await page.locator('form').isVisible()).toBe(false)
    await page.locator('table.matrix button').first().click()
    expect(await page.locator('article').first().isVisible()).toBe(true)
    await page.getByRole('button', { name: 'Close' }).click()
    expect(await page.locator('article').first().isVisible()).toBe(false)
  })

  test('on paper, what is behind the cells is a list', async () => {
    const page = await opened(own)
    await page.emulateMedia({ media: 'print' })

    expect(await page.locator('article:visible').count()).toBe(3)
    expect(await page.locator('form').isVisible()).toBe(false)
  })

  test('on a phone the tables scroll in their own boxes; the head and the first column stay', async () => {
    const page = await opened(COMMITTED, { viewport: { width: 360, height: 740 } })
    const box = page.locator('#origin .scroll').nth(1)

    expect(await page.locator('html').evaluate(({ scrollWidth }) => scrollWidth)).toBe(360)
    expect(await box.evaluate(({ scrollWidth, clientWidth }) => scrollWidth > 2 * clientWidth)).toBe(true)
    await box.evaluate((element) => {
      element.scrollTo(400, 900)
    })
    const places = await box.evaluate((element) => {
      const edge = element.getBoundingClientRect()
      const corner = element.querySelector('thead th')?.getBoundingClientRect()
      return [(corner?.x ?? 0) - edge.x, (corner?.y ?? 0) - edge.y]
    })
    expect(places).toEqual([1, 1])
  })

  test.each(['light', 'dark'] as const)('has nothing that axe finds wrong, %s', async (colorScheme) => {
    const page = await opened(own, { colorScheme, bypassCSP: true })
    await page.locator('table.matrix button').first().click()
    await page.evaluate(axe.source)
    const violations = await page.evaluate(async () => {
      const found = await (globalThis as unknown as { axe: typeof axe }).axe.run()
      return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
    })

    expect(violations).toEqual([])
  })
})
