import { writeSync } from 'node:fs'
import { fileLog } from './file-log.ts'
import { openKeyStore } from './store.ts'

/** Keys beyond which the oldest goes: so few that the file is written anew all the time. */
const MOST_KEYS = 6

/**
 * Makes and revokes keys until it is killed. Says on standard output which keys it found, and each change once it is
 * durable.
 */
const [file = ''] = process.argv.slice(2)
const store = await openKeyStore(fileLog(file, 4), { prefix: 'tsk', clock: { nowMs: Date.now } })
const consumer = 'writer'
if (store.consumers('default').length === 0) await store.createConsumer('default', consumer, {})
const ids = store.keys('default', consumer).map(({ id }) => id)
writeSync(1, `open ${ids.join(',')}\n`)
for (;;) {
  const [oldest] = ids
  if (oldest !== undefined && ids.length >= MOST_KEYS) {
    ids.shift()
    writeSync(1, `revoking ${oldest}\n`)
    await store.deleteKey('default', consumer, oldest)
    writeSync(1, `revoked ${oldest}\n`)
  } else {
    const { key, stored } = await store.createKey('default', consumer)
    ids.push(stored.id)
    writeSync(1, `made ${stored.id} ${key}\n`)
  }
}
