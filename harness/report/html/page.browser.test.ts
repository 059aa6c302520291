import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Report } from '../../model/result.ts'
import { launch, whyNoBrowser } from './browser.testing.ts'
import { exampleCase, exampleReport, fullReport, hostileReport } from './example.testing.ts'
import { renderHtml } from './page.ts'

if (whyNoBrowser !== undefined) console.log(`Pages are not tried in a browser: ${whyNoBrowser}.`)

const PHONE = { width: 375, height: 812 }

describe.skipIf(whyNoBrowser !== undefined)('in a browser', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'trustspec-html-'))
  let browser: Browser

  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(async () => {
    await browser.close()
    rmSync(folder, { recursive: true })
  })

  interface Opened extends AsyncDisposable {
    readonly page: Page
    /** Whatever the page complained about, or asked for beside itself. */
    readonly troubles: string[]
  }

  async function open(report: Report | readonly Report[], options: BrowserContextOptions = {}): Promise<Opened> {
    const reports = [report].flat()
    const file = path.join(folder, 'report.html')
    writeFileSync(file, renderHtml({ reports, exit: { code: 1, meaning: 'Broken.' } }))
    const url = pathToFileURL(file).href
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
    const page = await context.newPage()
    const troubles: string[] = []
    page.on('console', (message) => troubles.push(message.text()))
    page.on('pageerror', (error) => troubles.push(error.message))
    page.on('request', (request) => {
      if (!request.url().startsWith('data:') && request.url() !== url) troubles.push(request.url())
    })
    await page.goto(url)
    return { page, troubles, [Symbol.asyncDispose]: () => context.close() }
  }

  const shown = async (page: Page): Promise<readonly string[]> =>
    await page.locator('li.case:visible .what code').allTextContents()

  const openAll = async (page: Page): Promise<void> => {
    await page.locator('details').evaluateAll((all) => {
      for (const one of all) one.setAttribute('open', '')
    })
  }

  test('the keyboard selects a hop, which filters the cases, and lets go of it again', async () => {
    await using opened = await open(fullReport())
    const { page } = opened
    const all = await shown(page)
    const hop = page.locator('svg.wide a[data-hop="jwks"]')
    const isFocused = async (of: Locator): Promise<boolean> =>
      await of.evaluate((element) => element === element.ownerDocument.activeElement)
    for (let turn = 0; turn < 20 && !(await isFocused(hop)); turn += 1) await page.keyboard.press('Tab')
    expect(await isFocused(hop)).toBe(true)
    expect(await hop.getAttribute('aria-pressed')).toBe('false')

    await page.keyboard.press('Enter')
    expect(await hop.getAttribute('aria-pressed')).toBe('true')
    expect(await shown(page)).toEqual(['origin/kid-rotation/c'])
    expect(await page.getByRole('status').textContent()).toContain('Showing 1 of 8 cases')

    await page.keyboard.press('Space')
    expect(await hop.getAttribute('aria-pressed')).toBe('false')
    expect(await shown(page)).toEqual(all)
    expect(opened.troubles).toEqual([])
  })

  test('the mouse selects a hop; verdict, level, suite and search narrow it down', async () => {
    await using opened = await open(fullReport())
    const { page } = opened
    await page.locator('svg.wide a[data-hop="origin"]').click()
    await page.getByLabel('Verdict').selectOption('fail-crash')
    expect(await shown(page)).toEqual(['origin/claims/b'])

    await page.getByRole('button', { name: 'Clear', exact: true }).click()
    await page.getByLabel('Level').selectOption('SHOULD')
    expect(await shown(page)).toEqual(['origin/claims/soft'])

    await page.getByRole('button', { name: 'Clear', exact: true }).click()
    await page.getByLabel('Suite').selectOption('origin/signature')
    expect(await shown(page)).toEqual(['origin/signature/a'])

    await page.getByRole('button', { name: 'Clear', exact: true }).click()
    await page.getByLabel('Search').fill('LIBRARY cannot')
    expect(await shown(page)).toEqual(['origin/claims/b'])

    await page.getByLabel('Search').fill('no such thing')
    expect(await shown(page)).toEqual([])
    await page.getByRole('button', { name: 'Show all cases' }).click()
    expect(await page.getByRole('status').textContent()).toBe('8 cases.')
    expect(opened.troubles).toEqual([])
  })

  test('what is to be done leads to its case, through filters and folds; a command can be copied', async () => {
    await using opened = await open(fullReport())
    const { page } = opened
    await page.getByLabel('Verdict').selectOption('pass')
    await page.locator('.steps').getByRole('link', { name: 'origin/claims/b' }).click()
    const target = page.locator('#case-0-origin-claims-b')
    await target.locator('.remedy').waitFor({ state: 'visible' })
    expect(await target.getAttribute('open')).toBe('')

    await target.getByRole('button', { name: 'Copy' }).click()
    await target.getByRole('button', { name: /Copied|Selected/u }).waitFor()
    expect(opened.troubles).toEqual([])
  })

  test('hostile text does nothing but stand there', async () => {
    await using opened = await open(hostileReport())
    const { page } = opened
    await openAll(page)
    await page.getByLabel('Search').fill('</script>')

    expect(await page.evaluate('globalThis.broken')).toBeUndefined()
    expect(await shown(page)).toHaveLength(8)
    expect(opened.troubles).toEqual([])
  })

  test('without JavaScript it reads as a document: links lead to hops, cases unfold', async () => {
    await using opened = await open(fullReport(), { javaScriptEnabled: false })
    const { page } = opened
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('lets in what it must refuse')
    expect(await page.getByRole('search').isVisible()).toBe(false)
    expect(await page.locator('button:visible').count()).toBe(0)

    await page.locator('svg.wide a[data-hop="jwks"]').click()
    expect(page.url()).toMatch(/#hop-jwks$/u)
    const row = page.locator('#case-0-origin-kid-rotation-c')
    await row.locator('summary').click()
    expect(await row.getByText('the clock of the origin was moved on by 31 s').isVisible()).toBe(true)
    expect(opened.troubles).toEqual([])
  })

  test.each([
    ['light', undefined],
    ['dark', PHONE],
  ] as const)('no rule of accessibility is broken: %s, %j', async (colorScheme, viewport) => {
    await using opened = await open(
      [fullReport(), exampleReport([exampleCase('chain/a', 'pass')], { subject: 'chain' })],
      {
        colorScheme,
        ...(viewport ? { viewport } : {}),
      },
    )
    const { page } = opened
    await openAll(page)
    await page.evaluate(axe.source)
    const result = (await page.evaluate('axe.run()')) as {
      readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[]
      readonly passes: readonly unknown[]
    }

    expect(result.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([])
    expect(result.passes.length).toBeGreaterThan(20)
  })

  test.each([
    ['what is ordinary', fullReport()],
    ['what is hostile', hostileReport()],
  ])('a phone does not scroll sideways: %s', async (_, report) => {
    await using opened = await open(report, { viewport: PHONE })
    const { page } = opened
    await openAll(page)

    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(PHONE.width)
    expect(await page.locator('svg.tall').isVisible()).toBe(true)
  })

  test.each([true, false])('print shows what is folded (JavaScript: %s)', async (javaScriptEnabled) => {
    await using opened = await open(fullReport(), { javaScriptEnabled })
    const { page } = opened
    const folded = page.getByText('the clock of the origin was moved on by 31 s')
    const isShown = async (): Promise<boolean> => await folded.evaluate((element) => element.checkVisibility())
    expect(await isShown()).toBe(false)

    await page.emulateMedia({ media: 'print' })
    expect(await isShown()).toBe(true)
    expect(await page.getByRole('search').isVisible()).toBe(false)
  })
})
