import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { link, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { TrustspecError } from '../model/errors.ts'
import { generateKeys, isComplete, keysFrom } from './keys.ts'
import type { KeyStore, StoredKeys } from './keys.ts'

/** Where the signing keys of a user are kept from run to run. */
export function defaultKeyFile(env: NodeJS.ProcessEnv): string {
  return path.join(env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'trustspec', 'signing-keys.json')
}

/** The keys in the file, which is made, for its owner alone, when it is not there; ERR_USAGE when it cannot be read. */
export async function loadKeys(file: string): Promise<KeyStore> {
  if (!existsSync(file)) await writeKeys(file)
  try {
    const { keys } = JSON.parse(readFileSync(file, 'utf8')) as { keys: Partial<StoredKeys> }
    const store = isComplete(keys) ? keysFrom(keys) : await completed(file, keys)
    // Every published key is needed by the first fetch: better to find a torn file now.
    store.published()
    return store
  } catch (error) {
    throw new TrustspecError(
      'ERR_USAGE',
      'The signing keys cannot be read',
      { file, instead: 'delete the file, and new keys are made' },
      { cause: error },
    )
  }
}

/** The keys of an older version with those that it lacked; the ones that an origin may have cached stay. */
async function completed(file: string, held: Partial<StoredKeys>): Promise<KeyStore> {
  const store = generateKeys(held)
  const draft = `${file}.${randomUUID()}.tmp`
  await writeFile(draft, JSON.stringify({ keys: store.stored }), { mode: 0o600 })
  await rename(draft, file)
  return store
}

async function writeKeys(file: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomUUID()}.tmp`
  await writeFile(draft, JSON.stringify({ keys: generateKeys().stored }), { mode: 0o600 })
  // A link is never torn, and of two runs at once the first one wins: both then read the same keys.
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(draft)
}
