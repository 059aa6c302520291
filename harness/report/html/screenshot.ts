import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Report } from '../../model/result.ts'
import { launch, whyNoBrowser } from './browser.testing.ts'
import { renderHtml } from './page.ts'

/** Makes docs/report.png anew: what a person sees first of the report of tornado-as-published. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** The glance, the path, and what to do. */
const VIEWPORT = { width: 1200, height: 1010 }

if (whyNoBrowser !== undefined) {
  console.error(`No picture: ${whyNoBrowser}.`)
  process.exit(2)
}
const folder = mkdtempSync(path.join(tmpdir(), 'trustspec-picture-'))
try {
  const json = path.join(folder, 'report.json')
  await run(['harness/cli/main.ts', 'run', '--origin', 'tornado-as-published', '--json', json])
  const report = JSON.parse(readFileSync(json, 'utf8')) as Report
  const page = path.join(folder, 'report.html')
  writeFileSync(page, renderHtml({ reports: [report], exit: report.exit }))
  await using browser = await launch()
  const tab = await browser.newPage({ viewport: VIEWPORT, colorScheme: 'light' })
  await tab.goto(pathToFileURL(page).href)
  await tab.screenshot({ path: path.join(ROOT, 'docs/report.png') })
} finally {
  rmSync(folder, { recursive: true })
}

/** Runs trustspec; findings end it with 1, which is what is wanted here. */
async function run(words: readonly string[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  execFile(process.execPath, words, { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
    if (error === null || error.code === 1) resolve()
    else reject(new Error(`trustspec ended with ${String(error.code)}: ${stdout}${stderr}`))
  })
  await promise
}
