import { writeSync } from 'node:fs'
import { fileLog } from './file-log.ts'
import { openKeyStore } from './store.ts'

/** Makes and revokes keys until it is killed, and says each change on standard output once it is durable. */
const [file = '', round = '0'] = process.argv.slice(2)
const store = await openKeyStore(fileLog(file, 30), { prefix: 'tsk', clock: { nowMs: Date.now } })
const consumer = 'writer'
if (!store.consumers('default').some(({ name }) => name === consumer)) {
  await store.createConsumer('default', consumer, {})
}
const made: { readonly key: string; readonly id: string }[] = []
writeSync(1, `open ${round}\n`)
for (let change = 0; ; change += 1) {
  const oldest = made[0]
  if (change % 3 === 2 && oldest) {
    made.shift()
    writeSync(1, `revoking ${oldest.key}\n`)
    await store.deleteKey('default', consumer, oldest.id)
    writeSync(1, `revoked ${oldest.key}\n`)
  } else {
    const { key, stored } = await store.createKey('default', consumer)
    made.push({ key, id: stored.id })
    writeSync(1, `made ${key}\n`)
  }
}
