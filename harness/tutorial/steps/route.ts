import { FILES, readIn } from '../project.ts'
import { ROUTE } from '../world.ts'
import { curlLine } from './tour.ts'
import type { Tour } from './tour.ts'

/** Step 1: the operation of an OpenAPI document is a route of the gateway. */
export async function makeRoute({ world, stage, shown }: Tour): Promise<void> {
  stage.heading('Step 1 of 5: Create a route')
  stage.say(
    `The folder ${shown} holds a gateway project now, made from an OpenAPI document of the API, ${FILES.document}. Its ` +
      'operation became a route: x-zuplo-route says where a request goes and which policies it has to pass. There are ' +
      'none yet.',
  )
  stage.show(`${shown}/${FILES.routes}`, await readIn(world.project, FILES.routes), 'json')
  stage.say(
    'The gateway runs over this project. Until step 4 a server without any check stands where your API will be. ' +
      'Whoever calls gets in:',
  )
  stage.command(curlLine(`${world.gatewayUrl}${ROUTE}`))
  stage.travel(await world.call({ key: null }))
}
