import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { access, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { freePort, ownFolder, trustspec } from '../cli/cli.testing.ts'
import { FLAGS } from '../cli/flags.ts'
import { newPair } from '../evidence/evidence.testing.ts'
import { runJob } from './gitlab.testing.ts'
import type { GitlabJob } from './gitlab.testing.ts'
import { besideIssuer, REFERENCE_CONFIG, pathWithNpx, TRUSTING } from './little.testing.ts'
import { leftWith } from './processes.testing.ts'

const TEXT = readFileSync(new URL('../../templates/trustspec.gitlab-ci.yml', import.meta.url), 'utf8')
const JOB = (parse(TEXT) as { '.trustspec': GitlabJob })['.trustspec']
const HAS_FORMATS = 'report' in FLAGS.run
if (!HAS_FORMATS) console.log('Left out: reports of the GitLab job besides JSON, since "run" has no --report yet')
const OWN: Readonly<Record<string, string>> = HAS_FORMATS ? {} : { TRUSTSPEC_REPORTS: '' }

/** In the environment of all that the job starts. */
const MARK = `MARK=${randomUUID()}`

/** Runs the job in a folder. */
async function run(folder: string, variables: Readonly<Record<string, string>>) {
  return await runJob(JOB, folder, { ...OWN, PATH: await pathWithNpx(folder), MARK: MARK.slice(5), ...variables })
}

test('an origin that conforms is green, with its report and its evidence, and is stopped', async () => {
  const folder = await ownFolder()
  const pair = newPair()
  await writeFile(path.join(folder, 'trustspec.config.json'), JSON.stringify(REFERENCE_CONFIG))
  await writeFile(path.join(folder, 'pub.pem'), pair.publicPem)
  const { start, url, waitFor, flags } = await besideIssuer()
  const variables = { TRUSTSPEC_START: `env >seen; ${start}`, TRUSTSPEC_URL: url, TRUSTSPEC_WAIT_FOR: waitFor }
  const gitlab = {
    TRUSTSPEC_EVIDENCE_KEY: Buffer.from(pair.privatePem).toString('base64'),
    CI_PROJECT_URL: 'https://gitlab.com/acme/orders',
    CI_COMMIT_SHA: 'c'.repeat(40),
  }
  const { code, out } = await run(folder, { ...gitlab, ...variables, TRUSTSPEC_FLAGS: flags })

  expect([code, out]).toEqual([0, expect.stringContaining('Exit code 0')])
  await access(path.join(folder, 'trustspec-report/report.json'))
  expect(await leftWith(MARK)).toEqual([])
  expect(await readFile(path.join(folder, 'seen'), 'utf8')).not.toContain(gitlab.TRUSTSPEC_EVIDENCE_KEY)
  const commit = `git+https://gitlab.com/acme/orders@gitCommit:${'c'.repeat(40)}`
  const args = ['verify', 'trustspec-report/evidence.json', '--key', 'pub.pem', '--subject', commit]
  const verified = await trustspec(folder, [...args, '--require', 'origin/claims/iss-wrong'])
  expect([verified.code, verified.err]).toEqual([0, ''])
})

test('an origin that lets everybody in is red, with its report', async () => {
  const folder = await ownFolder()
  const variables = { TRUSTSPEC_EXEC: `${TRUSTING} {port}`, TRUSTSPEC_FLAGS: "--case 'no-token'" }
  const { code, out } = await run(folder, variables)

  expect([code, out]).toEqual([1, expect.stringContaining('fail-open')])
  const files = HAS_FORMATS ? ['report.json', 'junit.xml', 'report.html'] : ['report.json']
  for (const file of files) await access(path.join(folder, 'trustspec-report', file))
  expect(JOB.artifacts).toEqual({
    when: 'always',
    paths: ['trustspec-report/'],
    reports: { junit: 'trustspec-report/junit.xml' },
  })
})

describe('an origin that does not come up', () => {
  test.each([
    ['ends', 'echo no such module; exit 3', 'The origin ended with exit code 3', 'no such module'],
    ['never answers', 'echo waiting for Godot; exec sleep 1000', 'did not answer within 3 seconds', 'Godot'],
  ])('because it %s: the log is shown', async (_, start, says, logged) => {
    const url = `http://127.0.0.1:${await freePort()}/`
    const variables = {
      TRUSTSPEC_START: start,
      TRUSTSPEC_URL: url,
      TRUSTSPEC_WAIT_SECONDS: says.includes('within') ? '3' : '60',
    }
    const { code, out } = await run(await ownFolder(), variables)

    expect([code, out]).toEqual([2, expect.stringContaining(says)])
    expect(out).toContain(logged)
    expect(await leftWith(MARK)).toEqual([])
  })
})

test('flags execute nothing, and one open quote ends the job', async () => {
  const folder = await ownFolder()
  const nasty = await run(folder, { TRUSTSPEC_FLAGS: '--as $(touch pwned) `touch pwned` ; touch pwned' })
  expect([nasty.code, nasty.out]).toEqual([2, expect.stringContaining('There is no such subject')])
  await expect(access(path.join(folder, 'pwned'))).rejects.toThrow('ENOENT')
  const { code, out } = await run(await ownFolder(), { TRUSTSPEC_FLAGS: '--as "origin' })
  expect([code === 0, out]).toEqual([false, expect.stringContaining('quote')])
})
