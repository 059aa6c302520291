import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { alone } from './alone.ts'

test('work under one name is done one after the other, also after some that failed', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-alone-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const told: string[] = []
  const work = (name: string) =>
    alone(path.join(folder, 'packages'), async () => {
      told.push(`${name} begins`)
      await turn()
      told.push(`${name} ends`)
      if (name === 'first') throw new Error('It failed')
    })
  const [first, second] = await Promise.allSettled([work('first'), work('second')])

  expect(told).toEqual(['first begins', 'first ends', 'second begins', 'second ends'])
  expect([first.status, second.status]).toEqual(['rejected', 'fulfilled'])
  expect(await readdir(folder)).toEqual([])
})
