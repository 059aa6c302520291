import { loggedSince, withoutLibraries } from '../log.ts'
import { ROUTE } from '../world.ts'
import { curlLine, curlWithKey } from './tour.ts'
import type { Tour } from './tour.ts'

/** Step 5: the call of the page. */
export async function callThroughGateway({ world, stage, origin }: Tour): Promise<void> {
  const url = `${world.gatewayUrl}${ROUTE}`
  stage.heading('Step 5 of 5: Call your API through the gateway')
  stage.say('The line of the page, with the host and the port of this gateway:')
  stage.command(curlLine(url, "'Authorization: Bearer YOUR_API_KEY'"))
  stage.say('With your key in its place, for another terminal:')
  stage.command(curlWithKey(url, world.keyFile))
  const mark = world.originLog().length
  const hops = await world.call()
  stage.travel(hops)
  const status = hops[0]?.status ?? 0
  if (status === 200) {
    stage.say('The call works: key at the gateway, token at the origin.')
    return
  }
  stage.say(
    `The page promises that this works. It ends with ${status}: every part of the path does what it was told, and they do not fit.`,
  )
  const log = origin.logsRefusals ? await loggedSince(world.originLog, mark) : world.originLog().slice(mark)
  if (log.length > 0) stage.show(`What the ${origin.title} origin wrote`, withoutLibraries(log), 'text')
}
