import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { request } from 'undici'
import { startManagement } from '../gateway/keys/management.ts'
import { DEFAULT_BUCKET } from '../gateway/keys/store.ts'
import { openState } from '../gateway/state.ts'
import { TrustspecError } from '../model/errors.ts'
import { nearest } from '../model/nearest.ts'
import { textOf, usage } from './args.ts'
import type { Given } from './args.ts'
import { ADDRESS_FILE, CREDENTIAL_FILE, MANAGEMENT_KEY, placeOf } from './gateway.ts'

/** A management API, and the credential for it. */
interface Api extends AsyncDisposable {
  readonly url: string
  readonly credential: string
}

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
  await using api = await apiOf(given)
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
  api: Api,
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

async function ensureConsumer(api: Api, consumers: string, name: string, given: Given): Promise<void> {
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

/** The management API of a gateway that runs; else one of our own over its state, for as long as this takes. */
async function apiOf(given: Given): Promise<Api> {
  const url = textOf(given, 'url')
  const own = process.env[MANAGEMENT_KEY]
  if (url !== undefined) {
    if (own === undefined || own === '') {
      throw usage('The credential of the management API is missing', {
        variable: MANAGEMENT_KEY,
        instead: `set ${MANAGEMENT_KEY}`,
      })
    }
    return { url: url.replace(/\/$/u, ''), credential: own, [Symbol.asyncDispose]: () => Promise.resolve() }
  }
  const place = placeOf(given)
  const running = 'folder' in place ? await runningIn(place.folder, own) : undefined
  if (running) return running
  const clock = { nowMs: Date.now }
  const state = await openState(place, clock, textOf(given, 'key-prefix') ?? 'tsk')
  const credential = randomBytes(32).toString('base64url')
  const management = await startManagement({
    store: state.keys,
    credential,
    host: '127.0.0.1',
    port: 0,
    nowMs: clock.nowMs,
  })
  return {
    url: management.url,
    credential,
    async [Symbol.asyncDispose]() {
      await management[Symbol.asyncDispose]()
      await state[Symbol.asyncDispose]()
    },
  }
}

/** The API of the gateway whose state this is, if it runs. */
async function runningIn(folder: string, own: string | undefined): Promise<Api | undefined> {
  const read = (name: string): string | undefined => {
    const file = path.join(folder, name)
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
  }
  const url = read(ADDRESS_FILE)
  const credential = own ?? read(CREDENTIAL_FILE)
  if (url === undefined || credential === undefined) return undefined
  const api: Api = { url, credential, [Symbol.asyncDispose]: () => Promise.resolve() }
  const isThere = await send(api, 'GET', '/key-buckets').then(
    ({ status }) => status === 200,
    () => false,
  )
  return isThere ? api : undefined
}

async function call(
  api: Api,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  at: string,
  body?: object,
): Promise<unknown> {
  const { status, value } = await send(api, method, at, body)
  if (status >= 200 && status < 300) return value
  const detail =
    typeof value === 'object' && value !== null && 'detail' in value ? String(value.detail) : 'it gave no reason'
  throw new TrustspecError('ERR_USAGE', 'The key store refuses', {
    status,
    reason: detail,
    instead: status === 404 ? 'trustspec keys list' : 'trustspec keys --help',
  })
}

async function send(
  api: Api,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  at: string,
  body?: object,
): Promise<{ readonly status: number; readonly value: unknown }> {
  const answer = await request(`${api.url}${at}`, {
    method,
    headers: { authorization: `Bearer ${api.credential}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    body: body ? JSON.stringify(body) : null,
    signal: AbortSignal.timeout(10_000),
  })
  const text = await answer.body.text()
  return { status: answer.statusCode, value: text === '' ? undefined : (JSON.parse(text) as unknown) }
}
