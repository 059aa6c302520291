import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ORIGIN_CAPABILITIES } from '../harness/model/capabilities.ts'
import { CHAIN_CAPABILITIES } from '../harness/model/chain-capabilities.ts'
import { GATEWAY_CAPABILITIES } from '../harness/model/gateway-capabilities.ts'
import type { Edition } from '../harness/model/edition.ts'
import { suitesIn } from '../harness/runner/edition.ts'
import { levelOf } from '../harness/runner/results.ts'
import { plan } from '../harness/runner/select.ts'
import { ALL_SUITES, allCases, SUITES } from './catalog.ts'
import type { AnySuite } from './catalog.ts'
import { CURRENT_EDITION, editionNamed, editionOf, EDITIONS, NEXT_EDITION } from './editions.ts'
import { catalogMarkdown } from './write-catalog.ts'

/** Of each edition that is released. A line is added here, and none is ever changed: pipelines rest on them. */
const DIGESTS: Readonly<Record<string, string>> = {
  '2026.1': '784d6afbab2cd74005a9d24505b002e0c7872d6239cee3e88d3fdf1330ca1e48',
}

const ids = allCases<AnySuite>(ALL_SUITES).map(({ id }) => id)

function edition(name: string): Edition {
  const found = editionNamed(name)
  if (!found) throw new Error(`No edition ${name}`)
  return found
}

test('a released edition is never changed, and none is left out', async () => {
  const digests = EDITIONS.map((name) => {
    const { cases } = edition(name)
    return [name, createHash('sha256').update(JSON.stringify(cases)).digest('hex')]
  })
  const files = await readdir(fileURLToPath(new URL('editions', import.meta.url)))

  expect(Object.fromEntries(digests)).toEqual(DIGESTS)
  expect(files.toSorted()).toEqual(EDITIONS.map((name) => `${name}.ts`))
  expect(EDITIONS).toContain(CURRENT_EDITION)
  expect(EDITIONS).not.toContain(NEXT_EDITION)
})

test('every case is in the current edition or upcoming, and an edition has no case that is gone', () => {
  const { cases, upcoming } = edition(CURRENT_EDITION)

  expect([...Object.keys(cases), ...Object.keys(upcoming)].toSorted()).toEqual(ids.toSorted())
  for (const name of EDITIONS) for (const id of Object.keys(edition(name).cases)) expect(ids).toContain(id)
  for (const id of ids) expect([...EDITIONS, NEXT_EDITION]).toContain(editionOf(id))
  expect(editionNamed('2025.1')).toBeUndefined()
})

test('what a level needs is a capability that there is', () => {
  const known = { ...ORIGIN_CAPABILITIES, ...GATEWAY_CAPABILITIES, ...CHAIN_CAPABILITIES }
  const needed = EDITIONS.flatMap((name) => Object.values(edition(name).cases)).flatMap(({ drops }) => drops ?? [])

  expect(needed.length).toBeGreaterThan(0)
  expect(needed.filter(({ without }) => !Object.hasOwn(known, without))).toEqual([])
})

test('the catalogue tells the edition that each case came with', () => {
  const text = catalogMarkdown(ALL_SUITES)
  const rows = text.split('\n').filter((line) => line.startsWith('| `'))

  expect(rows).toHaveLength(ids.length)
  expect(rows.map((row) => row.split(' | ').at(-1))).toEqual(ids.map((id) => `${editionOf(id)} |`))
})

test('a level counts as the edition has it, raised or not, and so does what it drops to', () => {
  const frozen: Edition = {
    name: '2026.1',
    cases: {
      'origin/claims/iss-wrong': { level: 'SHOULD' },
      'origin/claims/scope-insufficient': { level: 'MUST', drops: { without: 'leeway', to: 'MAY' } },
      'origin/expired-tokens/exp-past-beyond-leeway': { level: 'MUST' },
    },
    upcoming: {},
  }
  const select = { cases: ['iss-wrong', 'scope-insufficient', 'exp-past-beyond-leeway', 'alg-none'] }
  const levels = (capabilities: readonly string[]) =>
    plan(suitesIn(SUITES, frozen), select).map((item) => [item.subject.id, levelOf(item, new Set(capabilities))])

  expect(Object.fromEntries(levels([]))).toEqual({
    'alg-none': 'MUST',
    'iss-wrong': 'SHOULD',
    'scope-insufficient': 'MAY',
    'exp-past-beyond-leeway': 'MUST',
  })
  expect(Object.fromEntries(levels(['leeway']))['scope-insufficient']).toBe('MUST')
  expect(plan(suitesIn(SUITES, frozen), { ...select, levels: ['SHOULD'] }).map(({ id }) => id)).toEqual([
    'origin/claims/iss-wrong',
  ])
  expect(suitesIn(SUITES, undefined)).toBe(SUITES)
})
