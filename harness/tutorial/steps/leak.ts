import { shortKey } from '../hops.ts'
import { READER } from './keys.ts'
import type { Tour } from './tour.ts'

/** The promise that the page makes beside step 2: a key that was found in public is refused. */
export async function leakKey({ world, stage }: Tour): Promise<void> {
  stage.heading('Beside step 2: a leaked key')
  const leaked = world.apiKey()
  const other = await world.makeKey('another-reader')
  stage.say(
    `Suppose your key ${shortKey(leaked)} was committed to a public repository. The secret scanner that finds it there ` +
      'posts an alert to the gateway, signed with a key that the scanner publishes. Here is one: a scanner of the ' +
      'tutorial signs and sends it.',
  )
  const { status, body } = await world.leak(leaked)
  stage.show(`The gateway answers the alert with ${status}`, labelOf(body), 'json')
  stage.show('and tells its operator', leakEvents(world.gatewayEvents()).at(-1) ?? '', 'json')
  stage.say('Your key is refused from now on, and for good:')
  stage.travel(await world.call())
  stage.say(`A key of another consumer, ${shortKey(other)}, works as before:`)
  stage.travel(await world.call({ key: other }))
  await world.useKey(await world.makeKey(READER))
  stage.say(`You get a new key, ${shortKey(world.apiKey())}, and go on with that.`)
}

/** The answer without the hash of the key. */
function labelOf(body: string): string {
  const labels = JSON.parse(body) as readonly { readonly token_type: string; readonly label: string }[]
  return JSON.stringify(labels.map(({ token_type, label }) => ({ token_type, label })))
}

function leakEvents(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line.includes('"leaked-key-revoked"'))
}
