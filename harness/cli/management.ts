import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { request } from 'undici'
import { holderOf } from '../lock/file-lock.ts'
import { startManagement } from '../gateway/keys/management.ts'
import { KEYS_FILE, openState } from '../gateway/state.ts'
import { TrustspecError } from '../model/errors.ts'
import { AsyncDisposableStack } from '../model/stack.ts'
import { textOf, usage } from './args.ts'
import type { Given } from './args.ts'
import { ADDRESS_FILE, CREDENTIAL_FILE, keyPrefixOf, MANAGEMENT_KEY, placeOf } from './gateway.ts'

/** Milliseconds for an answer. */
const ANSWER_MS = 10_000

/** Where a gateway tells the URL of its management API. */
const WHERE = 'the URL behind "management" that trustspec gateway prints'

/** A management API, and the credential for it. */
export interface ManagementClient extends AsyncDisposable {
  readonly url: string
  readonly credential: string
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** The management API of a gateway that runs; else one of our own over its state, for as long as this takes. */
export async function openManagement(given: Given): Promise<ManagementClient> {
  const variable = process.env[MANAGEMENT_KEY] ?? ''
  const own = variable === '' ? undefined : variable
  const url = textOf(given, 'url')
  if (url !== undefined) return named(given, url, own)
  const prefix = keyPrefixOf(given)
  const place = placeOf(given)
  const running = 'folder' in place ? await runningIn(place.folder, own) : undefined
  if (running) return running
  const clock = { nowMs: Date.now }
  await using stack = new AsyncDisposableStack()
  const state = stack.use(await openState(place, clock, prefix))
  const credential = randomBytes(32).toString('base64url')
  const management = stack.use(
    await startManagement({ store: state.keys, credential, host: '127.0.0.1', port: 0, nowMs: clock.nowMs }),
  )
  const kept = stack.move()
  return { url: management.url, credential, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** What the API answers to a call that succeeds; ERR_USAGE, with its reason, where it refuses. */
export async function call(api: ManagementClient, method: Method, at: string, body?: object): Promise<unknown> {
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

/** What the API answers; ERR_TARGET_UNREACHABLE where nothing does. */
export async function send(
  api: ManagementClient,
  method: Method,
  at: string,
  body?: object,
): Promise<{ readonly status: number; readonly value: unknown }> {
  const { host } = new URL(api.url)
  const { status, text } = await request(`${api.url}${at}`, {
    method,
    headers: { authorization: `Bearer ${api.credential}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    body: body ? JSON.stringify(body) : null,
    signal: AbortSignal.timeout(ANSWER_MS),
  })
    .then(async (answer) => ({ status: answer.statusCode, text: await answer.body.text() }))
    .catch((error: unknown) => {
      throw new TrustspecError(
        'ERR_TARGET_UNREACHABLE',
        'The management API cannot be reached',
        { host, instead: WHERE },
        { cause: error },
      )
    })
  try {
    return { status, value: text === '' ? undefined : (JSON.parse(text) as unknown) }
  } catch (error) {
    throw usage('This is no management API', { host, status, instead: WHERE }, error)
  }
}

/** The API at a URL that was given. */
function named(given: Given, url: string, credential: string | undefined): ManagementClient {
  const other = ['state', 'redis'].find((name) => textOf(given, name) !== undefined)
  if (other !== undefined) {
    throw usage('More than one place for the keys is given', { given: `--url and --${other}`, instead: 'one of them' })
  }
  if (!URL.canParse(url) || !/^https?:$/u.test(new URL(url).protocol)) {
    throw usage('The management API has no such URL', { flag: '--url', instead: 'http://127.0.0.1:PORT/v1' })
  }
  if (credential === undefined) {
    throw usage('The credential of the management API is missing', {
      variable: MANAGEMENT_KEY,
      instead: `set ${MANAGEMENT_KEY}`,
    })
  }
  return { url: url.replace(/\/$/u, ''), credential, [Symbol.asyncDispose]: () => Promise.resolve() }
}

/** The API of the gateway whose state this is, if it runs. */
async function runningIn(folder: string, own: string | undefined): Promise<ManagementClient | undefined> {
  // The address of a gateway that was killed may be somebody else's by now, who must not get the credential.
  if (holderOf(path.join(folder, KEYS_FILE)) === undefined) return undefined
  const read = (name: string): string | undefined => {
    const file = path.join(folder, name)
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
  }
  const url = read(ADDRESS_FILE)
  const credential = own ?? read(CREDENTIAL_FILE)
  if (url === undefined || credential === undefined || !URL.canParse(url)) return undefined
  const api: ManagementClient = { url, credential, [Symbol.asyncDispose]: () => Promise.resolve() }
  const isThere = await send(api, 'GET', '/key-buckets').then(
    ({ status }) => status === 200,
    () => false,
  )
  return isThere ? api : undefined
}
