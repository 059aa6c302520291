import { request } from 'undici'
import { loggedSince } from '../log.ts'
import { curlLine } from './tour.ts'
import type { Tour } from './tour.ts'

/** Step 4: the origin that trusts the gateway alone takes the place of the open one. */
export async function secureOrigin({ world, stage, origin }: Tour): Promise<void> {
  stage.heading(`Step 4 of 5: Secure your ${origin.title} API with JWT authentication`)
  stage.busy(`Starting ${origin.place}`)
  await origin.join?.(world)
  const { url } = await world.startOrigin(origin.start)
  stage.say(`An origin that verifies takes the place of the server without a check: ${origin.place}. ${origin.remark}`)
  stage.show(origin.place, origin.guard.text, origin.guard.language)
  stage.say('Whoever calls it directly, past the gateway, has no token:')
  stage.command(curlLine(url))
  const answer = await request(url, { reset: true })
  stage.show(`${answer.statusCode}`, await answer.body.text(), 'json')
  // What it logs of this call is not to be taken for what it logs of the next one.
  if (origin.logsRefusals) await loggedSince(world.originLog, 0)
}
