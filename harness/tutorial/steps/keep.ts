import { ROUTE } from '../world.ts'
import { curlWithKey, ownCommand } from './tour.ts'
import type { Tour } from './tour.ts'

/** Leaves everything running for the reader's own calls, until Ctrl-C. */
export async function keepRunning({ world, stage, shown, signal }: Tour): Promise<void> {
  const issuer = world.issuer()
  stage.heading('Everything is still running')
  stage.say('In another terminal, the call with your key:')
  stage.command(curlWithKey(`${world.gatewayUrl}${ROUTE}`, world.keyFile))
  stage.say('A key for one more consumer:')
  stage.command(ownCommand('keys', 'create', '--consumer', 'somebody', '--state', world.state))
  if (issuer !== undefined) {
    stage.say('The keys of the issuer:')
    // The issuer may bear a name that leads elsewhere: that of a reader's own file.
    stage.command(`curl ${world.gatewayUrl}${new URL(issuer).pathname}/.well-known/jwks.json`)
  }
  stage.say(`Ctrl-C ends it all; the project in ${shown} stays.`)
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve()
    })
  })
}
