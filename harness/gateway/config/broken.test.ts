import { expect, test } from 'vitest'
import { sentence, TrustspecError } from '../../model/errors.ts'
import { seeded } from '../limits/naive.testing.ts'
import { loadProject } from './project.ts'
import { goodProject, writeProject } from './projects.testing.ts'

const DOCUMENTS = ['config/routes.oas.json', 'config/policies.json', 'zuplo.jsonc']

const TEXTS =
  ' x get /x * $env( $env(NONE) ${x ${env.NONE} ${params.id} $import(./modules) $import(@zuplo/runtime) __proto__ constructor https://['

/** What stands in place of something else: other kinds of values, and texts that mean something elsewhere. */
const VALUES: readonly unknown[] = [
  ...TEXTS.split(' '),
  'a\u0000b\n',
  '\uD800',
  'x'.repeat(5_000),
  null,
  true,
  0,
  -1,
  1.5,
  [],
  {},
  [null],
  [{}],
  { a: 1 },
]

const NAMES = ['__proto__', 'constructor', 'x-zuplo-route', 'x-zuplo', 'get', 'options', 'export', '', 'a b']

type Holder = Record<string, unknown>

/** Every member of a document, as the object or list that holds it and its name there. */
function membersOf(value: unknown): readonly (readonly [Holder, string])[] {
  if (typeof value !== 'object' || value === null) return []
  const holder = value as Holder
  return Object.keys(holder).flatMap((name) => [[holder, name] as const, ...membersOf(holder[name])])
}

/** Breaks one member in one way: another value, none, another name, or a text that is cut and goes on otherwise. */
function breakOne(document: unknown, below: (most: number) => number): void {
  const members = membersOf(document)
  const [holder, name] = members[below(members.length)] ?? [{}, '']
  const held = holder[name]
  const way = below(4)
  const value = structuredClone(VALUES[below(VALUES.length)])
  if (way === 0 || (way === 3 && typeof held !== 'string')) holder[name] = value
  else if (way === 3)
    holder[name] = String(held).slice(0, below(String(held).length)) + (typeof value === 'string' ? value : '')
  else if (Array.isArray(holder)) holder.splice(Number(name), 1, ...(way === 1 ? [] : [held, held]))
  else {
    delete holder[name]
    const other = { value: held, enumerable: true, configurable: true, writable: true }
    if (way === 2) Object.defineProperty(holder, NAMES[below(NAMES.length)] ?? '', other)
  }
}

test('a project that is broken anywhere starts, or is answered with one sentence that names the place', async () => {
  const random = seeded(41)
  const below = (most: number): number => Math.floor(random() * most)
  const messages = new Set<string>()
  const faults: string[] = []
  let started = 0
  for (let round = 0; round < 400; round += 1) {
    const files = structuredClone(goodProject())
    files['zuplo.jsonc'] = { version: 1, compatibilityDate: '2026-03-01', projectType: 'managed-edge' }
    for (let many = below(3); many >= 0; many -= 1) breakOne(files[DOCUMENTS[below(DOCUMENTS.length)] ?? ''], below)
    await using project = await writeProject(files)
    try {
      await loadProject(project.folder, {})
      started += 1
    } catch (error) {
      if (!(error instanceof TrustspecError) || error.code !== 'ERR_GATEWAY_PROJECT') {
        faults.push(`${String(error)} of ${JSON.stringify(files)}`)
        continue
      }
      messages.add(error.message)
      const { file, instead } = error.fields
      const isWhole = [file, instead].every((field) => typeof field === 'string' && field !== '')
      const isClear = sentence(error).length < 1_000 && !/undefined|\[object|NaN|\p{Cc}/u.test(sentence(error))
      if (!isWhole || !isClear) faults.push(sentence(error))
    }
  }

  expect(faults).toEqual([])
  // Nearly all of them were wrong, and in many ways.
  expect(started).toBeLessThan(120)
  expect(messages.size).toBeGreaterThan(20)
})
