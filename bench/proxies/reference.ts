import { startGateway } from '../../harness/gateway/gateway.ts'
import { plainProject } from '../../harness/gateway/config/plain.ts'
import { loadDocument } from '../../harness/openapi/document.ts'

/** The reference gateway with an API key, a limit and a token for every request, and as many keys as it is told. */
const [port = '0', origin = '', keys = '100'] = process.argv.slice(2)

/** Keys that the load uses. */
const USED = 100

const document = await loadDocument('fixtures/openapi/reference-origin.json', () => Promise.reject(new Error('a file')))
const project = plainProject({
  document,
  origin: new URL(origin),
  algorithm: 'EdDSA',
  requestsPerMinute: 1_000_000_000,
})
const gateway = await startGateway({
  project,
  state: { kind: 'memory' },
  clock: { nowMs: Date.now },
  host: '127.0.0.1',
  port: Number(port),
  keyPrefix: 'tsk',
  trustedProxies: [],
  events: process.stderr,
})
const made: string[] = []
for (let number = 0; number < Number(keys); number += 1) {
  await gateway.keys.createConsumer('default', `consumer-${number}`, {})
  const { key } = await gateway.keys.createKey('default', `consumer-${number}`)
  if (made.length < USED) made.push(key)
}
console.log(`ready ${made.join(' ')}`)
