import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Ajv } from 'ajv'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sentence, TrustspecError } from '../model/errors.ts'
import { expectedBy, readBaseline, writeBaseline } from './baseline.ts'
import { baselineSchema } from './gate-shape.ts'
import { ConfigurationError } from './mistakes.ts'

const IDS = ['origin/claims/iss-wrong', 'origin/claims/aud-wrong', 'gateway/key-auth/missing']
const ENTRY = { case: 'origin/claims/iss-wrong', verdict: 'fail-open', reason: 'Known.' }

const validate = new Ajv({ allErrors: true }).compile(baselineSchema())
let folder = ''
let file = ''

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'trustspec-baseline-'))
  file = path.join(folder, 'known.json')
})

afterAll(() => rm(folder, { recursive: true }))

/** The sentences for what stands in a baseline, without what they share. */
async function sentencesOf(content: unknown): Promise<readonly string[]> {
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  try {
    readBaseline(file, IDS)
    return []
  } catch (error) {
    if (!(error instanceof TrustspecError)) throw error
    const all = error instanceof ConfigurationError ? error.all : [error]
    return all.map((one) => sentence(one).replace(`The baseline is wrong (where ${file}, member `, '('))
  }
}

test('a baseline that is well is what a run is held against, each of its findings accepted', async () => {
  const whole = { ...ENTRY, stimuli: ['iss missing'], issue: 'https://example.com/1', expires: '2026-12-31' }
  const baseline = { $schema: 'x', findings: [whole, { ...ENTRY, verdict: 'warn' }] }

  expect(await sentencesOf(baseline)).toEqual([])
  expect(validate(baseline)).toBe(true)
  expect(expectedBy(readBaseline(file, IDS))).toEqual([
    { ...whole, accepted: true },
    { ...ENTRY, verdict: 'warn', accepted: true },
  ])
})

const finding = (change: object): object => ({ findings: [{ ...ENTRY, ...change }] })

test.each<readonly [string, unknown, string, 'seen' | 'unseen']>([
  ['a list', [ENTRY], '(the whole, given a list); instead: {"findings": [ … ]}.', 'seen'],
  ['no reason', finding({ reason: undefined }), '(findings[0].reason, given nothing); instead: a text', 'seen'],
  ['an empty reason', finding({ reason: '' }), '(findings[0].reason, given an empty text)', 'seen'],
  ['a verdict of no finding', finding({ verdict: 'skip' }), '(findings[0].verdict, given "skip"); instead: "', 'seen'],
  [
    'another member',
    finding({ reasons: 'x' }),
    '(findings[0].reasons); instead: a known member; the nearest one',
    'seen',
  ],
  ['an issue that is no URL', finding({ issue: '#12' }), '(findings[0].issue, given a text); instead: a URL', 'seen'],
  ['a day that is written otherwise', finding({ expires: '31.12.2026' }), 'instead: the last day on which it', 'seen'],
  [
    'a day that there is not',
    finding({ expires: '2026-02-30' }),
    '(findings[0].expires, given "2026-02-30")',
    'unseen',
  ],
  ['no stimuli', finding({ stimuli: [] }), '(findings[0].stimuli, given a list of 0)', 'seen'],
  [
    'an unknown case',
    finding({ case: 'origin/claims/iss-wrng' }),
    '(findings[0].case, given "origin/claims/iss-wrng"); instead: "origin/claims/iss-wrong".',
    'unseen',
  ],
  [
    'a case in another suite',
    finding({ case: 'origin/keys/missing' }),
    '(findings[0].case, given "origin/keys/missing"); instead: "gateway/key-auth/missing".',
    'unseen',
  ],
  [
    'two entries for the same',
    { findings: [ENTRY, ENTRY] },
    '(findings[1], given "origin/claims/iss-wrong"); instead: one entry for this case and verdict',
    'unseen',
  ],
])('%s is told in one sentence', async (_, content, told, schema) => {
  const sentences = await sentencesOf(content)

  expect(sentences).toHaveLength(1)
  expect(sentences[0]).toContain(told)
  expect(validate(JSON.parse(JSON.stringify(content)))).toBe(schema === 'unseen')
})

test('a file that is none, or no JSON, says how one is made', async () => {
  const how = 'instead: a JSON file such as "trustspec baseline write FILE --report R.json" writes.'

  expect(await sentencesOf('findings: []')).toEqual([`The baseline cannot be read (file ${file}); ${how}`])
  expect(() => readBaseline(path.join(folder, 'none.json'), IDS)).toThrow('The baseline cannot be read')
})

test('one is written whole or not at all', async () => {
  await writeBaseline(file, { findings: [{ ...ENTRY, verdict: 'fail-open' }] })

  expect(await readFile(file, 'utf8')).toBe(`${JSON.stringify({ findings: [ENTRY] }, undefined, 2)}\n`)
  expect(await readdir(folder)).toEqual(['known.json'])
  await expect(writeBaseline(path.join(folder, 'a/b.json'), { findings: [] })).rejects.toMatchObject({
    code: 'ERR_USAGE',
    message: 'The baseline cannot be written',
  })
})
