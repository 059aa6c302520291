import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { ApiKey } from '../../harness/model/gateway-profile.ts'

/** While the list of keys cannot be had, an alert signed by a key that it may hold counts for nothing. Gives the key. */
export async function listIsAway({
  elapse,
  forwards,
  freshKey,
  judge,
  notProven,
  profile,
  scanner,
}: GatewayBench): Promise<ApiKey> {
  const { keyListMaxAgeSec = 0 } = profile.secretScanning ?? {}
  const key = await freshKey()
  const body = scanner.bodyOf({ token: key.key })
  const stranger = scanner.newKey()
  await forwards({ key }, 'the key before the list is away')
  for (const [name, answer] of [
    ['the list answers 500', { status: 500 }],
    ['the list is never answered', { fault: 'hang' }],
    ['the list breaks off', { fault: 'reset' }],
    ['the list is no JSON', { body: '<html>' }],
  ] as const) {
    await elapse(keyListMaxAgeSec + 1)
    using script = scanner.serve(answer)
    const { status } = await scanner.post(body, name, scanner.headersFor(body, stranger))
    judge(status < 200 || status >= 300, {
      stimulus: name,
      expected: 'no 2xx while no key is there to check with',
      observed: `status ${status}`,
      failure: 'fail-open',
    })
    if (script.served() === 0) {
      notProven(name, 'the list was not asked for', 'a receiver that asks for it again after "keyListMaxAgeSec"')
    }
    await forwards({ key }, `the key after: ${name}`)
  }
  return key
}
