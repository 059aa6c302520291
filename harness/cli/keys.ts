import { DEFAULT_BUCKET } from '../gateway/keys/store.ts'
import { nearest } from '../model/nearest.ts'
import { textOf, usage } from './args.ts'
import type { Given } from './args.ts'
import { call, openManagement, send } from './management.ts'
import type { ManagementClient } from './management.ts'

const ACTIONS = ['create', 'list', 'roll', 'revoke', 'disable', 'enable', 'import'] as const

type Action = (typeof ACTIONS)[number]

/**
 * Manages API keys: by the management API of a gateway that runs, or in its state while none does. A key that is
 * made is the only thing on standard output.
 */
export async function runKeys(
  given: Given,
  print: (line: string) => void,
  note: (line: string) => void,
): Promise<void> {
  const [name, ...more] = given.positionals
  const action = ACTIONS.find((known) => known === name)
  if (!action || more.length > 0) {
    throw usage('There is no such action', {
      given: given.positionals.join(' ') || 'nothing',
      instead: name === undefined ? ACTIONS.join(', ') : nearest(name, ACTIONS),
    })
  }
  await using api = await openManagement(given)
  await act(action, given, api, print, note)
}

interface KeyShown {
  readonly id: string
  readonly key: string
  readonly description: string
  readonly disabled: boolean
  readonly expiresOn: string | null
}

async function act(
  action: Action,
  given: Given,
  api: ManagementClient,
  print: (line: string) => void,
  note: (line: string) => void,
): Promise<void> {
  const bucket = textOf(given, 'bucket') ?? DEFAULT_BUCKET
  const consumers = `/key-buckets/${encodeURIComponent(bucket)}/consumers`
  if (action === 'list' && textOf(given, 'consumer') === undefined) {
    const { data } = (await call(api, 'GET', `${consumers}?include-api-keys=true&limit=100000`)) as {
      readonly data: readonly { readonly name: string; readonly apiKeys: readonly KeyShown[] }[]
    }
    for (const { name, apiKeys } of data) for (const key of apiKeys) print(lineOf(name, key))
    return
  }
  const name = required(given, 'consumer')
  const consumer = `${consumers}/${encodeURIComponent(name)}`
  switch (action) {
    case 'list': {
      const { data } = (await call(api, 'GET', `${consumer}/keys`)) as { readonly data: readonly KeyShown[] }
      for (const key of data) print(lineOf(name, key))
      return
    }
    case 'create':
    case 'import': {
      await ensureConsumer(api, consumers, name, given)
      const expiresOn = textOf(given, 'expires')
      const body = {
        description: textOf(given, 'description') ?? '',
        ...(expiresOn === undefined ? {} : { expiresOn }),
        ...(action === 'import' ? { key: importedKey() } : {}),
      }
      const made = (await call(api, 'POST', `${consumer}/keys`, body)) as KeyShown
      if (action === 'create') print(made.key)
      note(`${made.id} of ${name}${action === 'create' ? '; the key is shown this once' : ''}`)
      return
    }
    case 'roll': {
      const expiresOn = required(given, 'expires')
      const made = (await call(api, 'POST', `${consumer}/roll-key`, { expiresOn })) as KeyShown
      print(made.key)
      note(`${made.id} of ${name}; the key is shown this once, the others end at ${expiresOn}`)
      return
    }
    case 'revoke':
    case 'disable':
    case 'enable': {
      const key = `${consumer}/keys/${encodeURIComponent(required(given, 'key'))}`
      if (action === 'revoke') await call(api, 'DELETE', key)
      else await call(api, 'PATCH', key, { disabled: action === 'disable' })
      note(`${required(given, 'key')} of ${name}: ${action}d`)
    }
  }
}

function lineOf(consumer: string, { id, key, disabled, expiresOn, description }: KeyShown): string {
  const state = disabled ? 'disabled' : expiresOn === null ? 'active' : `until ${expiresOn}`
  return [id, consumer, key, state, description].join('  ').trimEnd()
}

/** A key that was made elsewhere: read from the environment, so that it stands in no list of processes. */
function importedKey(): string {
  const key = process.env['TRUSTSPEC_API_KEY']
  if (key !== undefined && key !== '') return key
  throw usage('The key to import is missing', {
    variable: 'TRUSTSPEC_API_KEY',
    instead: 'TRUSTSPEC_API_KEY=… trustspec keys import …',
  })
}

async function ensureConsumer(api: ManagementClient, consumers: string, name: string, given: Given): Promise<void> {
  const metadata = textOf(given, 'metadata')
  const body = { name, ...(metadata === undefined ? {} : { metadata: jsonOf(metadata) }) }
  const { status } = await send(api, 'GET', `${consumers}/${encodeURIComponent(name)}`)
  if (status === 404) await call(api, 'POST', consumers, body)
  else if (metadata !== undefined)
    await call(api, 'PATCH', `${consumers}/${encodeURIComponent(name)}`, { metadata: body.metadata })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw usage('The metadata is not JSON', { flag: '--metadata', instead: `'{"plan":"team"}'` }, error)
  }
}

function required(given: Given, name: string): string {
  const value = textOf(given, name)
  if (value !== undefined) return value
  throw usage('A flag is missing', { flag: `--${name}`, instead: `--${name} VALUE; see trustspec keys --help` })
}
