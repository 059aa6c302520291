import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Baseline } from '../config/baseline.ts'
import { sentence, TrustspecError } from '../model/errors.ts'
import { FAILS_BY_DEFAULT } from '../model/verdict.ts'
import type { Report } from '../model/result.ts'
import { ownFolder, serving, trustspec } from './cli.testing.ts'
import { readArgs } from './args.ts'
import type { Command } from './args.ts'
import { baselineCommand } from './baseline.ts'
import { gateOf } from './gate.ts'
import { listCases } from './list.ts'

const ID = 'origin/signature/alg-none'

/** An origin that lets in what carries a token in which one of these words stands. */
async function lax(): Promise<{ readonly url: string; words: readonly string[] }> {
  const origin: { words: readonly string[] } = { words: ['none'] }
  const url = await serving((request, response) => {
    const [head = ''] = (request.headers.authorization ?? '').replace(/^Bearer /u, '').split('.')
    const header = Buffer.from(head, 'base64url').toString()
    response.writeHead(origin.words.some((word) => header.includes(`"${word}"`)) ? 200 : 401).end('{}')
  })
  return Object.assign(origin, { url: `${url}/` })
}

test('a baseline from the first finding to the last: written, held, a new stimulus, expired, stale, pruned', async () => {
  const folder = await ownFolder()
  const origin = await lax()
  const cli = (...args: readonly string[]) => trustspec(folder, args)
  const run = (...args: readonly string[]) => cli('run', origin.url, '--case', 'alg-none', '--json', 'r.json', ...args)
  const file = path.join(folder, 'known.json')
  const read = async () => JSON.parse(await readFile(file, 'utf8')) as Baseline
  const held = ['--baseline', 'known.json'] as const

  expect((await run()).code).toBe(1)
  const unreasoned = await cli('baseline', 'write', 'known.json', '--report', 'r.json')
  expect(unreasoned).toMatchObject({
    code: 2,
    err: `ERR_USAGE: New findings need a reason for which they are accepted (findings 1, first ${ID}); instead: --reason TEXT beside it; in the file, each can have its own afterwards.\n`,
  })
  await expect(readFile(file)).rejects.toThrow('ENOENT')

  const written = await cli('baseline', 'write', 'known.json', '--report', 'r.json', '--reason', 'Mended in June.')
  expect(written.out).toMatch(/^added {4}origin\/signature\/alg-none fail-open: .+\nknown\.json: 1 finding\n$/u)
  const green = await run(...held)
  expect(green.out).toContain('    accepted     Mended in June.\n')
  expect(green.out).toContain('Exit code 0: Every requirement was met, or is an accepted finding.')
  expect(green.code).toBe(0)
  const again = await cli('baseline', 'write', 'known.json', '--report', 'r.json')
  expect(again).toMatchObject({ code: 0, out: 'known.json: nothing to change, 1 finding\n' })

  origin.words = ['none', 'NONE']
  const fresh = await run(...held)
  expect(fresh.out).toMatch(/ {4}new {10}\d of \d findings, the others are known\n/u)
  expect(fresh).toMatchObject({ code: 1 })
  const [before] = (await read()).findings
  await writeFile(file, JSON.stringify({ findings: [{ ...before, expires: '2999-12-31' }] }))
  const extended = await cli('baseline', 'write', 'known.json', '--report', 'r.json')
  expect(extended.out).toMatch(/^extended origin/u)
  const [after] = (await read()).findings
  expect(after).toMatchObject({ reason: 'Mended in June.', expires: '2999-12-31' })
  expect(after?.stimuli?.length).toBeGreaterThan(before?.stimuli?.length ?? 0)
  expect((await run(...held)).code).toBe(0)

  await writeFile(file, JSON.stringify({ findings: [{ ...after, expires: '2020-01-31' }] }))
  const expired = await run(...held)
  expect(expired.out).toContain(`- ${ID} is fail-open, and was accepted until 2020-01-31: mend it`)
  expect(expired.out).toContain('Exit code 1: 1 requirement broken, 1 accepted finding that has expired.')
  expect(expired.code).toBe(1)

  origin.words = ['none']
  await writeFile(file, JSON.stringify({ findings: [after] }))
  const partly = await run(...held)
  expect(partly.out).toContain('Exit code 1: 1 accepted finding that no longer shows.')
  const narrowed = await cli('baseline', 'prune', 'known.json', '--report', 'r.json')
  expect(narrowed.out).toMatch(/^narrowed origin/u)
  expect((await read()).findings[0]?.stimuli).toEqual(before?.stimuli)
  expect((await run(...held)).code).toBe(0)

  // Refusals prove nothing on this rung, so that what is refused now is skipped: neither stale nor used.
  origin.words = []
  const skipped = await run(...held)
  expect(skipped.out).not.toContain('no longer')
  const report = JSON.parse(await readFile(path.join(folder, 'r.json'), 'utf8')) as Report
  const [only] = report.cases
  const mended = { ...report, cases: [{ ...only, verdict: 'pass' }] }
  await writeFile(path.join(folder, 'r.json'), JSON.stringify(mended))
  const pruned = await cli('baseline', 'prune', 'known.json', '--report', 'r.json')
  expect(pruned.out).toMatch(/^removed {2}origin\/signature\/alg-none fail-open: .+\nknown\.json: 0 findings\n$/u)
})

describe('what is wrong is said in one sentence', () => {
  test.each<readonly [string, readonly [Command, ...string[]], string]>([
    ['no action', ['baseline'], 'There is no such action on a baseline (given nothing); instead: trustspec baseline'],
    [
      'another action',
      ['baseline', 'prun', 'f'],
      '(given prun); instead: trustspec baseline prune FILE --report R.json.',
    ],
    [
      'no file',
      ['baseline', 'write'],
      'One baseline is written at a time (given 0 files); instead: trustspec baseline',
    ],
    ['no report', ['baseline', 'prune', 'f'], 'The report is missing (command baseline prune); instead: trustspec'],
    ['a reason for pruning', ['baseline', 'prune', 'f', '--report', 'r', '--reason', 'x'], '"baseline write" (flag'],
    ['no such report', ['baseline', 'write', 'f', '--report', 'r.json'], 'The report cannot be read (file r.json)'],
    ['nothing to prune', ['baseline', 'prune', 'f', '--report', 'r.json'], 'The baseline cannot be read (file f)'],
    [
      'no baseline',
      ['run', '--baseline', 'none.json'],
      'The baseline cannot be read (file none.json); instead: a JSON',
    ],
    ['an unknown edition', ['run', '--edition', '2026.7'], 'There is no such edition (flag --edition, given 2026.7)'],
    ['an unknown word', ['run', '--fail-on', 'mst'], '(flag --fail-on, given mst); instead: must, out of never, must,'],
    [
      'nothing to fail on',
      ['run', '--fail-on', ''],
      'There is no such thing to fail on (flag --fail-on, given nothing)',
    ],
    [
      'never and something',
      ['run', '--fail-on', 'never,must'],
      '(flag --fail-on, given never,must); instead: never, or must.',
    ],
    ['two ways', ['run', '--strict', '--fail-on', 'must'], 'instead: --fail-on should,inconclusive alone.'],
    ['two other ways', ['run', '--allow-inconclusive', '--fail-on', 'must'], 'instead: --fail-on must alone.'],
    ['no budget', ['run', '--max-requests', '0'], '(flag --max-requests, given 0); instead: a whole number from 1 to'],
    [
      'no time',
      ['run', '--time-budget', '1m'],
      '(flag --time-budget, given 1m); instead: a whole number from 1 to 86400.',
    ],
  ])('%s', async (_, [command, ...args], told) => {
    const given = readArgs(command, args)
    const tried = async () => (command === 'run' ? gateOf(given) : await baselineCommand(given, () => undefined))
    const error: unknown = await tried().catch((thrown: unknown) => thrown)

    expect(error).toBeInstanceOf(TrustspecError)
    expect(sentence(error as TrustspecError)).toContain(told)
  })
})

describe('what fails a run', () => {
  const of = (values: Record<string, string | boolean | readonly string[]>, configured = {}) =>
    gateOf({ values, positionals: [] }, configured).failOn

  test('is must and inconclusive, unless a flag or, without one, the configuration says otherwise', () => {
    const should = ['fail-open', 'fail-crash', 'fail-closed', 'fail', 'warn']
    expect(of({})).toEqual(FAILS_BY_DEFAULT)
    expect(of({ strict: true })).toEqual([...should, 'inconclusive'])
    expect(of({ 'fail-on': ['should,inconclusive'] })).toEqual(of({ strict: true }))
    expect(of({ 'allow-inconclusive': true })).toEqual(of({ 'fail-on': ['MUST'] }))
    expect(of({ strict: true, 'allow-inconclusive': true })).toEqual(should)
    expect(of({}, { failOn: ['never'] })).toEqual([])
    expect(of({ strict: true }, { failOn: ['never'] })).toEqual(of({ strict: true }))
    expect(of({ 'fail-on': ['fail-open', 'fail-crash'] })).toEqual(['fail-open', 'fail-crash'])
  })

  test('can stand in a configuration, with the edition and the baseline beside it', async () => {
    const folder = await ownFolder()
    const origin = await lax()
    const config = { subject: 'origin', url: origin.url, edition: '2026.1', failOn: ['never'], baseline: 'known.json' }
    await writeFile(path.join(folder, 'trustspec.config.json'), JSON.stringify(config))
    await writeFile(path.join(folder, 'known.json'), '{"findings":[{"case":"alg-none","verdict":"warn","reason":"x"}]}')
    const wrong = await trustspec(folder, ['run', '--case', 'alg-none'])
    await writeFile(path.join(folder, 'known.json'), '{"findings":[]}')
    const { code, out } = await trustspec(folder, ['run', '--case', 'alg-none'])

    expect(wrong.err).toContain('findings[0].case, given "alg-none"); instead: "origin/signature/alg-none".')
    expect(out).toContain('Exit code 0: Nothing that fails this run; left aside: 1 requirement broken (fail-open).')
    expect(out).toContain('requirements (MUST) of edition 2026.1 proven')
    expect(code).toBe(0)
  })
})

test('the list has the levels of an edition', () => {
  const given = { values: { edition: '2026.1', as: 'chain' }, positionals: [] }

  expect(listCases(given)).toContain('MUST    chain/happy-path\n')
  expect(() => listCases({ ...given, values: { edition: '1' } })).toThrow('There is no such edition')
})
