import { mkdir, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { MAIN, ownFolder } from '../cli/cli.testing.ts'
import { connects } from '../targets/guarded.ts'
import { hasRuntime } from '../targets/runtimes.testing.ts'
import { leftOf, noTerminal, terminal } from './terminal.testing.ts'
import type { Terminal } from './terminal.testing.ts'

const TIMEOUT_MS = 120_000

/** Packages of the Tornado sample are installed on first use. */
const FIRST_USE_MS = 300_000

/** Where the tutorial stops, in order. */
const STOPS = [
  'Step 1 of 5',
  'Step 2 of 5',
  'Beside step 2',
  'Step 3 of 5',
  'What step 3 leaves out',
  'Step 4 of 5',
  'Step 5 of 5',
  'What is missing in the gateway',
]

const PROMPT = 'Enter: go on · q: end'

const why = noTerminal()
if (why !== undefined) console.log(`Not tested here, because ${why}: the tutorial on a terminal.`)

interface Reading extends Terminal {
  readonly project: string
  /** Folder for temporary files of the tutorial and its processes. */
  readonly scratch: string
}

async function read(framework = 'express'): Promise<Reading> {
  const cwd = await ownFolder()
  const scratch = path.join(cwd, 'scratch')
  await mkdir(scratch)
  const project = path.join(cwd, 'project')
  const command = [process.execPath, MAIN, 'tutorial', '--framework', framework, '--project', project]
  // Node keeps compiled modules there; they are shared with all that runs, and not the tutorial's.
  const compiled = path.join(tmpdir(), 'node-compile-cache')
  const env = { TMPDIR: scratch, NODE_COMPILE_CACHE: compiled, CI: '', NO_COLOR: '' }
  return { ...(await terminal(command, env)), project, scratch }
}

const isWaiting = (screen: string): boolean => (screen.trimEnd().split('\n').at(-1) ?? '').includes(PROMPT)

/** Waits until it stops there, and for Enter. */
async function stopped(reading: Terminal, stop: string): Promise<string> {
  return await reading.until((screen) => screen.includes(stop) && isWaiting(screen))
}

async function enterUpTo(reading: Terminal, last: number): Promise<string> {
  let screen = ''
  for (const [at, stop] of STOPS.slice(0, last + 1).entries()) {
    if (at > 0) await reading.type('Enter')
    screen = await stopped(reading, stop)
  }
  return screen
}

/** Asserts that nothing of the tutorial runs, listens or lies about, save for the project. */
async function expectNothingLeft(reading: Reading, screen: string, pids: readonly number[]): Promise<void> {
  expect(await leftOf(pids, `TMPDIR=${reading.scratch}`)).toEqual([])
  const ports = new Set([...screen.matchAll(/127\.0\.0\.1:(\d+)/gu)].map(([, port]) => Number(port)))
  expect(ports.size).toBeGreaterThan(1)
  for (const port of ports) expect(await connects(port)).toBe(false)
  expect(await readdir(reading.scratch)).toEqual([])
  expect(await readdir(reading.project)).toContain('config')
}

test.skipIf(why !== undefined)('Enter goes through all steps to the end', { timeout: TIMEOUT_MS }, async () => {
  const reading = await read()
  await enterUpTo(reading, STOPS.length - 1)
  const pids = await reading.processes()
  await reading.type('Enter')
  const screen = await reading.until((shown) => shown.includes('What is left'))

  expect(await reading.ended()).toBe(0)
  expect(screen).toContain('origin/expired-tokens/exp-missing')
  expect(screen).not.toContain(PROMPT)
  await expectNothingLeft(reading, screen, pids)
})

test.skipIf(why !== undefined)('q ends the tutorial, which is no failure', { timeout: TIMEOUT_MS }, async () => {
  const reading = await read()
  const screen = await enterUpTo(reading, 1)
  const pids = await reading.processes()
  await reading.type('q')

  expect(await reading.ended()).toBe(0)
  expect(await reading.screen()).toContain('Everything that was started has ended')
  await expectNothingLeft(reading, screen, pids)
})

test.skipIf(why !== undefined).each(STOPS.map((stop, at) => ({ stop, at })))(
  'Ctrl-C at "$stop" leaves nothing running',
  { timeout: TIMEOUT_MS },
  async ({ at }) => {
    const reading = await read()
    const screen = await enterUpTo(reading, at)
    const pids = await reading.processes()
    // A shell and the tutorial; from step 4 on a guardian and the origin.
    expect(pids.length).toBeGreaterThanOrEqual(at >= STOPS.indexOf('Step 4 of 5') ? 4 : 2)
    await reading.type('C-c')

    expect(await reading.ended()).toBe(130)
    await expectNothingLeft(reading, screen, pids)
  },
)

test.skipIf(why !== undefined).each([
  { work: 'Starting origins/', after: 'What step 3 leaves out' },
  { work: 'Testing node-express-jose', after: 'What is missing in the gateway' },
])('Ctrl-C while it works ("$work") leaves nothing running', { timeout: TIMEOUT_MS }, async ({ work, after }) => {
  const reading = await read()
  await enterUpTo(reading, STOPS.indexOf(after))
  await reading.type('Enter')
  const screen = await reading.until((shown) => shown.includes(work))
  const pids = await reading.processes()
  await reading.type('C-c')

  expect(await reading.ended()).toBe(130)
  await expectNothingLeft(reading, screen, pids)
})

test.skipIf(why !== undefined)('closing the terminal leaves nothing running', { timeout: TIMEOUT_MS }, async () => {
  const reading = await read()
  const screen = await enterUpTo(reading, STOPS.indexOf('Step 4 of 5'))
  const pids = await reading.processes()
  expect(pids.length).toBeGreaterThanOrEqual(4)
  await reading.close()

  await expectNothingLeft(reading, screen, pids)
})

const PAGE = 'the tutorial on a terminal with the origin of the page'
test.runIf(why === undefined && hasRuntime('python', PAGE))(
  'with the origin of the page, step 5 ends with 401 as published; Ctrl-C while it is judged leaves nothing running',
  { timeout: FIRST_USE_MS },
  async () => {
    const reading = await read('tornado')
    const screen = await enterUpTo(reading, STOPS.indexOf('Step 5 of 5'))
    const [, step = ''] = screen.split('Step 5 of 5')
    expect(step).toContain('{"error": "No token provided"}')
    expect(step).toContain('It ends with 401')
    expect(step).toContain('401 GET /protected (127.0.0.1)')

    const work = 'Judging origin/expired-tokens/exp-missing'
    for (let shown = screen; !shown.includes(work);) {
      await reading.type('Enter')
      shown = await reading.until((now) => now !== shown && (now.includes(work) || isWaiting(now)))
    }
    const pids = await reading.processes()
    await reading.type('C-c')

    expect(await reading.ended()).toBe(130)
    await expectNothingLeft(reading, await reading.screen(), pids)
  },
)
