import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { fileLog } from './file-log.ts'
import { openKeyStore } from './store.ts'

const WRITER = fileURLToPath(new URL('./kill.testing.ts', import.meta.url))

const KILLS = 200

test(
  '200 kills under writes: no key that was told is lost, and no revoked one is back',
  { timeout: 300_000 },
  async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-kill-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const file = path.join(folder, 'keys.journal')
    const live = new Set<string>()
    const dead = new Set<string>()
    const open = new Set<string>()
    let state = 20_261_125
    let told = 0
    let opened = 0
    let killed = 0
    for (let kill = 0; kill < KILLS; kill += 1) {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      // So many lines are waited for, and then a part of a millisecond: the kill falls anywhere in a change.
      const lines = 1 + ((state >> 8) % 12)
      const spin = (state >> 16) % 700
      const writer = spawn(process.execPath, [WRITER, file, String(kill)], { stdio: ['ignore', 'pipe', 'inherit'] })
      const closed = once(writer, 'close') as Promise<[number | null, NodeJS.Signals | null]>
      let seen = 0
      for await (const line of createInterface({ input: writer.stdout })) {
        const [what, key = ''] = line.split(' ')
        if (what === 'made') live.add(key)
        if (what === 'revoking') {
          live.delete(key)
          open.add(key)
        }
        if (what === 'revoked') {
          open.delete(key)
          dead.add(key)
        }
        if (what === 'open') opened += 1
        else told += 1
        seen += 1
        if (seen === lines) {
          const until = performance.now() + spin / 1_000
          while (performance.now() < until);
          writer.kill('SIGKILL')
        }
      }
      if ((await closed)[1] === 'SIGKILL') killed += 1
    }
    await using store = await openKeyStore(fileLog(file), { prefix: 'tsk', clock: { nowMs: Date.now } })
    const find = (key: string) => store.find('default', key)

    // Every writer found a file that opens, and ended by the kill alone.
    expect([opened, killed]).toEqual([KILLS, KILLS])
    expect(told).toBeGreaterThan(KILLS)
    expect([...live].filter((key) => find(key) === undefined)).toEqual([])
    expect([...dead].filter((key) => find(key) !== undefined)).toEqual([])
    expect(live.size).toBeGreaterThan(100)
    expect(dead.size).toBeGreaterThan(20)
  },
)
