import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { SUITES } from '../../suites/catalog.ts'
import { runOrigin } from '../runner/run.ts'
import { bundledOrigin, startBundled } from '../targets/bundled.ts'
import { FRAMEWORKS } from './origins.ts'
import type { Framework } from './origins.ts'
import { addPolicy, FILES, JWT_POLICY, readIn, writeIn } from './project.ts'
import type { Stage } from './stage.ts'
import { ownCommand } from './steps/tour.ts'
import type { World } from './world.ts'

/** What the page's origin fails, or would fail, and what this one says of it. */
const CASES = [
  'origin/signature/control-valid',
  'origin/claims/aud-missing',
  'origin/expired-tokens/exp-missing',
  'origin/signature/kid-hostile-type',
  'origin/kid-rotation/new-kid-picked-up',
  'origin/challenge/www-authenticate',
  'origin/jwks-caching/refresh-does-not-block',
]

/** After step 5, for an origin that is not the page's: the gateway is mended, and the origin judged by cases. */
export async function judgeSibling(
  framework: Exclude<Framework, 'tornado'>,
  world: World,
  stage: Stage,
  signal: AbortSignal,
): Promise<void> {
  const { title, sample } = FRAMEWORKS[framework]
  const { profile } = bundledOrigin(sample)
  const { algorithms = [], audience } = profile
  stage.heading('What is missing in the gateway')
  stage.say(
    'The policy of step 3 attaches the token. The origin expects an audience of its own, and not the URL of the request, ' +
      `and takes ${algorithms.join(', ')}.`,
  )
  const options = typeof audience === 'string' ? { audience } : {}
  const policy = { ...JWT_POLICY, handler: { ...JWT_POLICY.handler, options } }
  await addPolicy(world.project, policy)
  stage.show(`${FILES.policies}, added`, JSON.stringify(policy, undefined, 2), 'json')
  const signsOtherwise = !algorithms.includes('EdDSA')
  if (signsOtherwise) {
    const before = await readIn(world.project, FILES.runtime)
    const after = before.replace('new JwtServicePlugin()', 'new JwtServicePlugin({ algorithm: "RS256" })')
    await writeIn(world.project, FILES.runtime, after)
    stage.say(
      'The plugin signs with RS256. A gateway in use would begin to do so once every origin can know the new key; this ' +
        'one makes its keys anew, so that nobody waits.',
    )
    stage.show(FILES.runtime, after, 'ts')
  }
  await world.restartGateway({ newKeys: signsOtherwise })
  const hops = await world.call()
  stage.travel(hops)
  if (hops[0]?.status === 200) stage.say('The call works: the key at the gateway, the token at the origin.')
  await stage.pause()

  stage.heading(`What the ${title} origin takes, and what it refuses`)
  stage.busy(`Testing ${sample}`)
  const report = await runOrigin({
    suites: SUITES,
    select: { cases: CASES },
    start: (settings) => startBundled(sample, settings, stage.busy),
    control: { kind: 'issuer', keys: embeddedKeys(), port: 0 },
    profile: {},
    seed: 1,
    deadlineMs: 5_000,
    on: () => undefined,
    signal,
  })
  stage.say('trustspec plays the gateway now, and sends what a gateway never would:')
  // What a sample does not declare cannot be judged.
  const judged = report.cases.filter(({ verdict }) => verdict !== 'skip')
  stage.verdicts(judged.map(({ id, verdict }) => ({ id, variants: [{ variant: framework, verdict }] })))
  stage.say('These are a few of the cases. All of them, with the reasons and the remedies:')
  stage.command(ownCommand('run', '--origin', sample))
}
