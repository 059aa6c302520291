import { request } from 'undici'
import { sentence, TrustspecError } from '../../model/errors.ts'
import {
  addPolicy,
  FILES,
  JWT_POLICY,
  MISSING_IMPORT,
  PRINTED_RUNTIME,
  readIn,
  removePolicy,
  writeIn,
} from '../project.ts'
import type { Tour } from './tour.ts'

/** Step 3: the plugin that makes the gateway an issuer; by itself it attaches nothing. */
export async function registerPlugin({ world, stage, shown }: Tour): Promise<void> {
  stage.heading('Step 3 of 5: Enable the JWT Service Plugin')
  await writeIn(world.project, FILES.runtime, PRINTED_RUNTIME)
  stage.show(`${shown}/${FILES.runtime}, as the page prints it`, PRINTED_RUNTIME, 'ts')
  stage.say(`The gateway does not start with it. It says: ${await refusalOf(() => world.restartGateway())}`)
  await writeIn(world.project, FILES.runtime, `${MISSING_IMPORT}\n${PRINTED_RUNTIME}`)
  await world.restartGateway()
  stage.say(
    'The page leaves out the line that imports the names. With it, and nothing else changed, the gateway starts:',
  )
  stage.show(`${shown}/${FILES.runtime}`, addedLines(await readIn(world.project, FILES.runtime)), 'diff')
  const issuer = world.issuer() ?? ''
  stage.say('The gateway is an issuer now. Origins find its keys by its discovery document:')
  for (const document of ['openid-configuration', 'jwks.json']) {
    const url = `${issuer}/.well-known/${document}`
    stage.command(`curl ${url}`)
    const answer = await request(url, { reset: true })
    stage.show(`${answer.statusCode}`, JSON.stringify(await answer.body.json(), undefined, 2), 'json')
  }
  stage.say(
    'There are two keys: one signs, the other is there so that origins know it before it takes over. Now the call once ' +
      'more. The page says that a JWT is forwarded from here on. See what reaches the origin:',
  )
  stage.travel(await world.call())
  stage.say('No Authorization, no token. The plugin can sign, but nothing in the project asks it to.')
}

/** The step that the page leaves out. */
export async function attachToken({ world, stage, shown }: Tour): Promise<void> {
  stage.heading('What step 3 leaves out: the policy that attaches the JWT')
  await addPolicy(world.project, JWT_POLICY)
  await world.restartGateway()
  stage.say(
    `The policy ${JWT_POLICY.policyType} has the plugin sign a token for each request, behind the check of the key. It ` +
      'stands in policies.json and, as the second one, on the route:',
  )
  stage.show(`${shown}/${FILES.policies}, added`, JSON.stringify(JWT_POLICY, undefined, 2), 'json')
  stage.say('Now a token travels on the second hop, in the place of the key:')
  stage.travel(await world.call())
  stage.say(
    'sub is the consumer whose key it was. aud is the URL that was called, which is the default, and the algorithm is ' +
      'EdDSA, which is the default too. The server without any check does not look at the token; the next one does.',
  )
  await removePolicy(world.project, JWT_POLICY)
  await world.restartGateway()
  stage.say('The page has no such step, so the policy is out again: steps 4 and 5 are as the page has them.')
}

/** What the gateway says of the project as it is; a project that it takes is a defect of the tutorial. */
async function refusalOf(restart: () => Promise<void>): Promise<string> {
  try {
    await restart()
  } catch (error) {
    if (error instanceof TrustspecError && error.code === 'ERR_GATEWAY_PROJECT') return sentence(error)
    throw error
  }
  throw new TrustspecError('ERR_HARNESS', 'The gateway takes the module of the page without its import')
}

/** The text with the lines marked that the page does not have. */
function addedLines(text: string): string {
  const printed = new Set(PRINTED_RUNTIME.split('\n').filter((line) => line !== ''))
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `${line === '' || printed.has(line) ? ' ' : '+'} ${line}`.trimEnd())
    .join('\n')
}
