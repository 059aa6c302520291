import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { prepareGround } from './ground.ts'
import { isOver, newRunId } from './leftovers.ts'
import { hasDocker } from './runtimes.testing.ts'

const CLI = fileURLToPath(new URL('../cli/main.ts', import.meta.url))

const isTestable = hasDocker('that a run that was killed leaves no container behind')

/** Ids of containers and networks of the run. */
function remains(run: string): readonly string[] {
  const filter = ['--filter', `label=dev.trustspec.run=${run}`, '--quiet']
  const list = (...args: readonly string[]): string =>
    execFileSync('docker', [...args, ...filter], { encoding: 'utf8' })
  return `${list('ps', '--all')}${list('network', 'ls')}`.split('\n').filter((line) => line !== '')
}

/** A run whose container is up, and its id. */
async function running(): Promise<{ readonly harness: ChildProcess; readonly run: string }> {
  const harness = spawn(process.execPath, [CLI, 'run', '--docker', '--origin', 'tornado-hardened'], { stdio: 'ignore' })
  const find = (): string =>
    execFileSync('docker', ['ps', '--format', '{{.Label "dev.trustspec.run"}}'], { encoding: 'utf8' })
      .split('\n')
      .find((id) => id.includes(`-${harness.pid}-`)) ?? ''
  await expect.poll(find, { timeout: 120_000 }).not.toBe('')
  return { harness, run: find() }
}

async function end(harness: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(harness, 'exit')
  harness.kill(signal)
  await ended
}

/** The janitor of a run, by its command line. */
function janitorOf(run: string): number {
  const pids = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n')
  return Number(
    pids
      .find((line) => line.includes('janitor.ts') && line.includes(run))
      ?.trim()
      .split(' ')[0],
  )
}

test.runIf(isTestable).each(['SIGINT', 'SIGKILL'] as const)('after %s nothing is left', async (signal) => {
  const { harness, run } = await running()
  expect(remains(run)).toHaveLength(2)
  await end(harness, signal)

  await expect.poll(() => remains(run), { timeout: 20_000 }).toEqual([])
})

test.runIf(isTestable)('what outlives the harness and its janitor is removed by the next run', async () => {
  const { harness, run } = await running()
  process.kill(janitorOf(run), 'SIGKILL')
  await end(harness, 'SIGKILL')
  expect(remains(run)).toHaveLength(2)
  const other = newRunId()
  expect(isOver(other)).toBe(false)
  const said: string[] = []
  {
    await using ground = await prepareGround((line) => said.push(line))
    expect(remains(run)).toEqual([])
    expect(remains(ground.id)).toHaveLength(1)
  }

  expect(said).toEqual(['Removed 1 container that a killed run had left behind'])
})

test('a run is over when its process is, and those of other machines are let be', () => {
  const id = newRunId()
  const [prefix, machine, , start, random] = id.split('-')
  expect(isOver(id)).toBe(false)
  expect(isOver([prefix, machine, process.pid, Number(start) + 1, random].join('-'))).toBe(true)
  expect(isOver([prefix, machine, 2 ** 22 + 1, start, random].join('-'))).toBe(true)
  expect(isOver([prefix, '000000', 2 ** 22 + 1, start, random].join('-'))).toBe(false)
  expect(isOver(readFileSync(CLI, 'utf8').slice(0, 40))).toBe(false)
})
