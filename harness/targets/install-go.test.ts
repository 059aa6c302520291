import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { installGo } from './install-go.ts'
import { hasRuntime } from './runtimes.testing.ts'

const BUILD_MS = 120_000

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'trustspec-go-'))
  vi.stubEnv('XDG_CACHE_HOME', path.join(folder, 'cache'))
  await writeFile(path.join(folder, 'go.mod'), 'module example.com/orders\n\ngo 1.21\n')
  await says('first')
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

async function says(word: string): Promise<void> {
  await writeFile(path.join(folder, 'main.go'), `package main\n\nfunc main() { print("${word}") }\n`)
}

/** What the program prints: Go's print writes to stderr. */
function printed(binary: string): string {
  return execFileSync('/bin/sh', ['-c', 'exec "$0" 2>&1', binary], { encoding: 'utf8' })
}

test('without Go the error tells how to get it', async () => {
  vi.stubEnv('PATH', '')

  await expect(installGo(folder, () => undefined)).rejects.toMatchObject({ code: 'ERR_RUNTIME_MISSING' })
})

describe.runIf(hasRuntime('go', 'that Go origins are built'))('with Go', () => {
  test('builds on first use alone, and again when a source changes', { timeout: BUILD_MS }, async () => {
    const lines: string[] = []
    const install = () => installGo(folder, (line) => lines.push(line))
    const [first, beside] = await Promise.all([install(), install()])

    expect(beside).toBe(first)
    expect(printed(first)).toBe('first')
    expect(await readdir(path.dirname(first))).toEqual(['origin'])
    lines.length = 0
    expect(await install()).toBe(first)
    expect(lines).toEqual([])
    await says('second')
    const second = await install()
    expect(second).not.toBe(first)
    expect(printed(second)).toBe('second')
  })

  test(
    'a build that fails is reported with its last words, and leaves nothing behind',
    { timeout: BUILD_MS },
    async () => {
      await writeFile(path.join(folder, 'main.go'), 'package main\n\nfunc main() { missing() }\n')

      await expect(installGo(folder, () => undefined)).rejects.toMatchObject({
        code: 'ERR_INSTALL_FAILED',
        fields: { output: expect.stringContaining('undefined: missing') as string },
      })
      const left = await readdir(path.join(folder, 'cache', 'trustspec', 'go'), { recursive: true })
      expect(left.filter((name) => name.includes('origin'))).toEqual([])
    },
  )
})
