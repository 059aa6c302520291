import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
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
  '200 kills under writes: no key that was told is lost, and no revoked one is back, at any opening',
  { timeout: 300_000 },
  async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-kill-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const file = path.join(folder, 'keys.journal')
    /** Texts of keys by id; empty for one whose writer was killed before it could tell. */
    const live = new Map<string, string>()
    const dead = new Map<string, string>()
    /** Keys whose revocation was begun and not told. */
    const undecided = new Map<string, string>()
    const faults: string[] = []
    const files = new Set<number>()
    let state = 20_261_125
    let told = 0
    let opened = 0
    let killed = 0
    /** What a writer finds is durable from then on, whatever was told of it. */
    const compare = (found: ReadonlySet<string>): void => {
      for (const id of live.keys()) if (!found.has(id)) faults.push(`${id} is lost`)
      for (const id of dead.keys()) if (found.has(id)) faults.push(`${id} is back`)
      for (const [id, key] of undecided) (found.has(id) ? live : dead).set(id, key)
      undecided.clear()
      for (const id of found) if (!live.has(id) && !dead.has(id)) live.set(id, '')
    }
    const hear = (line: string): void => {
      const [what, id = '', key = ''] = line.split(' ')
      if (what === 'open') {
        opened += 1
        compare(new Set(id.split(',').filter((one) => one !== '')))
        return
      }
      told += 1
      if (what === 'made') live.set(id, key)
      if (what === 'revoking') {
        undecided.set(id, live.get(id) ?? '')
        live.delete(id)
      }
      if (what === 'revoked') {
        dead.set(id, undecided.get(id) ?? '')
        undecided.delete(id)
      }
    }
    for (let kill = 0; kill < KILLS; kill += 1) {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      // So many lines are waited for, and then a few milliseconds at most: the kill falls anywhere in a change.
      const lines = 1 + ((state >> 8) % 12)
      const spin = (state >> 16) % 3_000
      const writer = spawn(process.execPath, [WRITER, file], { stdio: ['ignore', 'pipe', 'inherit'] })
      const closed = once(writer, 'close') as Promise<[number | null, NodeJS.Signals | null]>
      let seen = 0
      for await (const line of createInterface({ input: writer.stdout })) {
        hear(line)
        seen += 1
        if (seen === lines) {
          const until = performance.now() + spin / 1_000
          while (performance.now() < until);
          writer.kill('SIGKILL')
        }
      }
      if ((await closed)[1] === 'SIGKILL') killed += 1
      files.add((await stat(file)).ino)
    }
    await using store = await openKeyStore(fileLog(file), { prefix: 'tsk', clock: { nowMs: Date.now } })
    compare(new Set(store.keys('default', 'writer').map(({ id }) => id)))
    const isKnown = (key: string): boolean => store.find('default', key) !== undefined

    expect(faults).toEqual([])
    expect([...live.values()].filter((key) => key !== '' && !isKnown(key))).toEqual([])
    expect([...dead.values()].filter(isKnown)).toEqual([])
    // Every writer found a file that opens, and ended by the kill alone.
    expect([opened, killed]).toEqual([KILLS, KILLS])
    expect(told).toBeGreaterThan(2 * KILLS)
    expect(dead.size).toBeGreaterThan(KILLS)
    // The file was written anew between kills.
    expect(files.size).toBeGreaterThan(1)
  },
)
