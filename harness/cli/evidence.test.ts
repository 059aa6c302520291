import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { CURRENT_EDITION } from '../../suites/editions.ts'
import { MAKE, newPair, reportAtNoon } from '../evidence/evidence.testing.ts'
import { caseResult } from '../model/result.testing.ts'
import type { CaseResult } from '../model/result.ts'
import { sha256 } from '../evidence/statement.ts'
import type { Statement } from '../evidence/statement.ts'
import { sentence, TrustspecError } from '../model/errors.ts'
import { readArgs } from './args.ts'
import { ownFolder, trustspec } from './cli.testing.ts'
import { evidenceFor } from './evidence.ts'
import { verifyCommand } from './verify.ts'

const CASE = 'origin/claims/iss-wrong'
const RUN = ['run', '--as', 'origin', '--case', CASE]
const DIGEST = 'ab'.repeat(32)

/** A folder with a pair of keys. */
async function withKeys() {
  const folder = await ownFolder()
  const pair = newPair()
  await writeFile(path.join(folder, 'key.pem'), pair.privatePem)
  await writeFile(path.join(folder, 'pub.pem'), pair.publicPem)
  return { folder, pair }
}

test('a run is signed, and the statement verified against report, case and key', async () => {
  const { folder, pair } = await withKeys()
  const ran = await trustspec(folder, [...RUN, '--json', 'r.json', '--evidence', 'e.json', '--evidence-key', 'key.pem'])
  expect([ran.code, ran.err]).toEqual([0, ''])
  expect(ran.out).toContain('Evidence: PASSED')
  const written = await readFile(path.join(folder, 'e.json'), 'utf8')
  const secret = pair.privatePem.split('\n')[1] ?? ''
  expect(secret).toHaveLength(64)
  for (const text of [written, ran.out, Buffer.from(written, 'base64').toString()]) expect(text).not.toContain(secret)
  const { payload } = JSON.parse(written) as { payload: string }
  const statement = JSON.parse(Buffer.from(payload, 'base64').toString()) as {
    subject: { digest: Record<string, string> }[]
  }
  const digest = createHash('sha256').update(await readFile(path.join(folder, 'r.json')))
  expect(statement.subject[0]?.digest).toEqual({ sha256: digest.digest('hex') })

  const verify = [
    'verify',
    'e.json',
    '--key',
    'pub.pem',
    '--report',
    'r.json',
    '--max-age',
    '1h',
    '--edition',
    CURRENT_EDITION,
  ]
  const good = await trustspec(folder, [...verify, '--require', CASE])
  expect([good.code, good.err]).toEqual([0, ''])
  expect(good.out).toMatch(
    /^holds {2}signature .*\nholds {2}tested .*\nholds {2}report .*\nholds {2}edition .*\nholds {2}age .*\nholds {2}case /u,
  )
  const selected = await trustspec(folder, verify)
  expect([selected.code, selected.err]).toEqual([1, ''])
  expect(selected.out).toContain('only some cases were selected')
})

test('the key may come from the environment, as PEM or on one line, and the process under test does not see it', async () => {
  const { folder, pair } = await withKeys()
  await writeFile(
    path.join(folder, 'origin.mjs'),
    `import { createServer } from 'node:http'
import { writeFileSync } from 'node:fs'
writeFileSync('seen.json', JSON.stringify(process.env))
createServer((_, answer) => answer.writeHead(401).end()).listen(process.env.PORT, '127.0.0.1')`,
  )
  const node = JSON.stringify(process.execPath)
  const run = ['run', '--exec', `${node} origin.mjs`, '--case', CASE, '--no-virtual-time', '--evidence', 'e.json']
  const ran = await trustspec(folder, run, { TRUSTSPEC_EVIDENCE_KEY: pair.privatePem })
  const seen = JSON.parse(await readFile(path.join(folder, 'seen.json'), 'utf8')) as Record<string, string>

  expect(seen['PORT']).toBeDefined()
  expect(seen['TRUSTSPEC_EVIDENCE_KEY']).toBeUndefined()
  // It refuses all, so nothing was judged.
  expect(ran.code).toBe(2)
  expect(ran.err).toContain('ERR_NOT_ATTESTABLE')
  expect(existsSync(path.join(folder, 'e.json'))).toBe(false)

  const env = { TRUSTSPEC_EVIDENCE_KEY: Buffer.from(pair.privatePem).toString('base64') }
  const once = await trustspec(folder, [...RUN, '--evidence', 'e.json'], env)
  expect([once.code, once.err]).toEqual([0, ''])
})

/** What is wrong, in one sentence. */
async function saidOf(doing: () => unknown): Promise<string> {
  try {
    await doing()
  } catch (error) {
    if (error instanceof TrustspecError) return sentence(error)
    throw error
  }
  return 'nothing'
}

describe('one sentence says what is wrong, before anything runs', () => {
  const KEY = ['--evidence-key', 'key.pem']
  test.each([
    ['no key', ['--evidence', 'e.json'], {}, 'there is no key'],
    ['no such file', ['--evidence', 'e.json', '--evidence-key', 'none.pem'], {}, 'none.pem'],
    ['a public key', ['--evidence', 'e.json', '--evidence-key', 'pub.pem'], {}, 'given a public key'],
    ['no PEM', ['--evidence', 'e.json'], { TRUSTSPEC_EVIDENCE_KEY: 'hunter2' }, 'given no PEM file'],
    ['a key without evidence', KEY, {}, 'belongs to --evidence'],
    ['a subject without evidence', ['--subject', `a@sha256:${DIGEST}`], {}, 'belongs to --evidence'],
    ['no digest', ['--evidence', 'e.json', ...KEY, '--subject', 'a:1'], {}, 'has no digest'],
    ['no such folder', ['--evidence', 'x/e.json', ...KEY], {}, 'x/e.json'],
  ])('%s', async (_, flags, env: NodeJS.ProcessEnv, says) => {
    const { folder } = await withKeys()
    const at = (flag: string): string => (/\.(pem|json)$/u.test(flag) ? path.join(folder, flag) : flag)
    const said = await saidOf(() => evidenceFor(readArgs('run', flags.map(at)), env))

    expect(said).toContain(says)
    expect(said).not.toContain('hunter2')
    expect(env).toEqual({})
  })

  test.each([
    ['no file', [], 'One statement is verified'],
    ['no key', ['e.json'], 'no key to verify with'],
    ['a private key', ['e.json', '--key', 'key.pem'], 'given a private key'],
    ['no such statement', ['none.json', '--key', 'pub.pem'], 'none.json'],
    ['a file that is no envelope', ['pub.pem', '--key', 'pub.pem'], 'no DSSE envelope'],
    ['a duration without a unit', ['e.json', '--key', 'pub.pem', '--max-age', '60'], 'no duration'],
    ['a requirement that is none', ['e.json', '--key', 'pub.pem', '--require', 'green'], 'no such requirement'],
    ['a subject without a digest', ['e.json', '--key', 'pub.pem', '--subject', 'a:1'], 'has no digest'],
    ['no such report', ['e.json', '--key', 'pub.pem', '--report', 'none.json'], 'none.json'],
  ])('of verify: %s', async (_, args, says) => {
    const { folder } = await withKeys()
    const envelope = { payload: 'AAAA', payloadType: 'x', signatures: [{ sig: 'AAAA' }] }
    await writeFile(path.join(folder, 'e.json'), JSON.stringify(envelope))
    const at = (flag: string): string => (/\.(pem|json)$/u.test(flag) ? path.join(folder, flag) : flag)
    const print = (): void => expect.unreachable('nothing is judged')
    const said = await saidOf(() => verifyCommand(readArgs('verify', args.map(at)), { colour: false }, print))

    expect(said).toContain(says)
  })
})

test.each([
  ['the budget was spent', { missing: [{ capability: 'budget', says: 'more', unlock: '--max-requests' }] }],
  ['no case was judged', { verdict: 'inconclusive' }],
] as const)('a run in which %s is not signed', async (cause, more) => {
  const { folder, pair } = await withKeys()
  const flags = ['--evidence', path.join(folder, 'e.json'), '--evidence-key', path.join(folder, 'key.pem')]
  const evidence = await evidenceFor(readArgs('run', flags), {}, [path.join(folder, 'pub.pem')])
  const good = caseResult('o/s/good', {})
  const sign = (cases: readonly CaseResult[]) => {
    const report = reportAtNoon(cases)
    return saidOf(() =>
      evidence?.({ reports: [report], exit: report.exit, reportText: '', selected: false, failOn: [] }),
    )
  }
  expect(await sign([...('verdict' in more ? [] : [good]), caseResult('o/s/bad', more)])).toContain(cause)
  expect(existsSync(path.join(folder, 'e.json'))).toBe(false)
  expect(await sign([good])).toBe('nothing')
  const { payload } = JSON.parse(await readFile(path.join(folder, 'e.json'), 'utf8')) as { payload: string }
  const { predicate } = JSON.parse(Buffer.from(payload, 'base64').toString()) as Statement
  expect(predicate.configuration.map(({ digest }) => digest)).toEqual([undefined, { sha256: sha256(pair.publicPem) }])
})

test('the embedded reference is no evidence about an artefact, and a forged statement holds nothing', async () => {
  const { folder } = await withKeys()
  const evidence = ['--evidence', 'e.json', '--evidence-key', 'key.pem']
  const wrong = await trustspec(folder, [...RUN, ...evidence, '--subject', `a@sha256:${DIGEST}`])
  expect(wrong.code).toBe(2)
  expect(wrong.err).toContain('The embedded reference was tested')
  await trustspec(folder, [...RUN, ...evidence])
  await writeFile(path.join(folder, 'other.pem'), MAKE['ECDSA P-256']?.().publicPem ?? '')
  const forged = await trustspec(folder, ['verify', 'e.json', '--key', 'other.pem', '--require', CASE])
  expect([forged.code, forged.err]).toEqual([1, ''])
  expect(forged.out).toBe('fails  signature  not by the key in other.pem\n')
})
