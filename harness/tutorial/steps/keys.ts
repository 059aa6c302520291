import { addPolicy, API_KEY_POLICY, FILES, readIn } from '../project.ts'
import { ROUTE } from '../world.ts'
import { curlLine, curlWithKey, ownCommand } from './tour.ts'
import type { Tour } from './tour.ts'

/** Who calls in the tutorial. */
export const READER = 'reader'

/** Step 2: the route needs an API key, and the reader gets one. */
export async function requireKeys({ world, stage, shown }: Tour): Promise<void> {
  stage.heading('Step 2 of 5: Add the API Key Authentication policy')
  await addPolicy(world.project, API_KEY_POLICY)
  await world.restartGateway()
  stage.say('The policy is added to the project, and its name to the route.')
  stage.show(`${shown}/${FILES.policies}`, await readIn(world.project, FILES.policies), 'json')
  stage.say('The same call as before, without a key, ends at the gateway now: nothing of it reaches the API.')
  stage.command(curlLine(`${world.gatewayUrl}${ROUTE}`))
  stage.travel(await world.call({ key: null }))
  await world.useKey(await world.makeKey(READER))
  stage.say(
    `A consumer named "${READER}" is made, with a key. The gateway keeps a hash of it alone; while the tutorial runs, ` +
      `the key is in the file ${world.keyFile}, which only you can read. In another terminal, this ` +
      'makes a key for one more consumer:',
  )
  stage.command(ownCommand('keys', 'create', '--consumer', 'somebody', '--state', world.state))
  stage.say(
    'With the key the call gets through. Look at the second hop: the key ends at the gateway, and goes no further.',
  )
  stage.command(curlWithKey(`${world.gatewayUrl}${ROUTE}`, world.keyFile))
  stage.travel(await world.call())
}
