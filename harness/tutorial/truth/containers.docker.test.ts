import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hasDocker } from '../../targets/runtimes.testing.ts'
import {
  makeProject,
  addPolicy,
  API_KEY_POLICY,
  FILES,
  JWT_POLICY,
  MISSING_IMPORT,
  PRINTED_RUNTIME,
  writeIn,
} from '../project.ts'
import { startWorld } from '../world.ts'
import { containerLauncher } from './containers.ts'
import { judgeOrigin } from './judge.ts'
import { SAMPLE } from './launch.ts'
import { readReaderFile } from './reader-file.ts'
import { readerOrigin } from './reader-origin.ts'

/** A host that does not exist (RFC 6761 section 6.4). */
const ISSUER = 'https://my-api.invalid/__zuplo/issuer'

const LAUNCHER = containerLauncher(() => undefined)

test.runIf(hasDocker('that the tutorial runs origins as containers'))(
  'a file with a hard-coded issuer is called through the gateway, and judged, as a container',
  async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-reader-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const published = await readFile(path.join(SAMPLE, 'app.py'), 'utf8')
    const file = path.join(folder, 'my_api.py')
    await writeFile(
      file,
      published
        .replace(/^ISSUER = .*$/mu, `ISSUER = "${ISSUER}"`)
        .replace(/^JWKS_URL = .*$/mu, 'JWKS_URL = f"{ISSUER}/.well-known/jwks.json"')
        .replace(/^PORT = .*$/mu, 'PORT = 9191'),
    )
    const reader = await readReaderFile(file, {})
    const project = path.join(folder, 'project')
    await makeProject(project)
    for (const policy of [API_KEY_POLICY, JWT_POLICY]) await addPolicy(project, policy)
    await writeIn(project, FILES.runtime, `${MISSING_IMPORT}\n${PRINTED_RUNTIME}`)

    await using place = await LAUNCHER()
    await using world = await startWorld({ project, ...(place.reach ? { jwksPlace: place.reach } : {}) })
    await world.useKey(await world.makeKey('reader'))
    await using origin = readerOrigin(reader, place)
    await origin.origin.join?.(world)
    await world.startOrigin(origin.origin.start)
    const [called, forwarded, fetched] = await world.call()

    expect([called?.status, forwarded?.status, fetched?.status]).toEqual([500, 500, 200])
    expect(forwarded?.token?.claims).toMatchObject({ iss: ISSUER })

    const { preflight, target } = await judgeOrigin(
      LAUNCHER,
      { program: reader.program, known: reader.known, profile: {}, cases: ['origin/signature/control-valid'] },
      new AbortController().signal,
    )

    expect(target.kind).toBe('container')
    expect(preflight.cause).toContain("AttributeError: module 'jose.jwt' has no attribute 'algorithms'")
  },
)
