import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { request } from 'undici'
import { startScanner } from '../scanner/scanner.ts'
import { freePort } from '../targets/guarded.ts'
import type { Target, TargetSettings } from '../targets/target.ts'
import { hopOf } from './hops.ts'
import { pairs, startRelay } from './relay.ts'
import type { Passed, Relay, RelayPlace } from './relay.ts'
import { CREDENTIAL_PREFIX, startTutorialGateway } from './tutorial-gateway.ts'
import type { GatewayChange } from './tutorial-gateway.ts'
import type { Hop } from './stage.ts'

/** The path of the page's route, at the gateway and at the origin. */
export const ROUTE = '/protected'

/** What the tutorial has running: a gateway over a project folder, the origin behind it, a consumer with a key. */
export interface World extends AsyncDisposable {
  /** Folder of the gateway project; the reader keeps it. */
  readonly project: string
  /** Folder for what ends with the tutorial. */
  readonly scratch: string
  /** `http://host:port`; the same after every restart. */
  readonly gatewayUrl: string
  /** Value of `iss`; undefined where the project registers no JWT service. */
  readonly issuer: () => string | undefined
  /** Where origins fetch the JWKS: through a relay that records it. */
  readonly jwksUrl: () => string
  /** The relay in front of the JWKS, for a server that answers for an https host in its place. */
  readonly answerForIssuer: RequestListener
  /** Folder with keys and signing keys of the gateway: `trustspec keys … --state FOLDER` reaches it. */
  readonly state: string
  /** A file with the key of the reader, for its owner alone; for `$(cat FILE)`. */
  readonly keyFile: string
  /** Makes a consumer, where there is none of that name, and a key for it. */
  readonly makeKey: (consumer: string) => Promise<string>
  /** Whose key calls send from now on. */
  readonly useKey: (key: string) => Promise<void>
  /** The key that calls send; never to be shown whole. */
  readonly apiKey: () => string
  /** One call of the route with what travelled for it: caller to gateway, gateway to origin, origin to issuer. */
  readonly call: (options?: CallOptions) => Promise<readonly Hop[]>
  /** Reads the project again, as it is on the disk now. Where that fails, the gateway goes on as it was. */
  readonly restartGateway: (change?: GatewayChange) => Promise<void>
  /** Puts another origin behind the gateway: the one before ends first. */
  readonly startOrigin: (start: StartOrigin) => Promise<Target>
  /** Lines that the origin wrote, oldest first. */
  readonly originLog: () => readonly string[]
  /** Lines that the gateway wrote for its operator. */
  readonly gatewayEvents: () => readonly string[]
  /** Posts an alert that a secret scanner signed: this key was found in public. */
  readonly leak: (key: string) => Promise<{ readonly status: number; readonly body: string }>
}

/** What is otherwise than in the call of the page. */
export interface CallOptions {
  /** Default: that of the reader; null sends none. */
  readonly key?: string | null
  /** Default: the page's route. */
  readonly target?: string
}

/** Starts an origin that trusts the issuer of these settings. */
export type StartOrigin = (settings: TargetSettings) => Promise<Target>

/** Where the relay of the JWKS listens and how origins name it: not this machine's loopback for a container. */
export interface WorldOptions {
  readonly project: string
  readonly jwksPlace?: RelayPlace
}

const LOOPBACK: RelayPlace = { listen: '127.0.0.1', name: '127.0.0.1' }

/** `aud` for origins that declare none of their own. */
const AUDIENCE = 'https://orders.example.com'

/** Starts the gateway over the project, which has to be there; no origin yet. */
export async function startWorld({ project, jwksPlace = LOOPBACK }: WorldOptions): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const scratch = await mkdtemp(path.join(tmpdir(), 'trustspec-tutorial-'))
  const remove = (): void => {
    rmSync(scratch, { recursive: true, force: true })
  }
  // For an end that leaves no time to dispose of anything.
  process.once('exit', remove)
  stack.defer(() => {
    process.off('exit', remove)
    remove()
  })
  const toOrigin = stack.use(await startRelay(LOOPBACK))
  const toIssuer = stack.use(await startRelay(jwksPlace))
  const scanner = stack.use(await startScanner())
  const port = await freePort()
  const state = path.join(scratch, 'state')
  const keyFile = path.join(scratch, 'api-key')
  const gateway = stack.use(
    await startTutorialGateway({ project, port, state, originUrl: toOrigin.url, keyListUrl: scanner.keyListUrl }),
  )
  toIssuer.to(gateway.url)
  const keys: string[] = []
  const origin: { target?: Target } = {}
  stack.defer(() => origin.target?.[Symbol.asyncDispose]())
  const issuer = (): string | undefined => gateway.issuer()
  const jwksUrl = (): string => {
    const base = new URL(issuer() ?? `${gateway.url}/__zuplo/issuer`).pathname
    return `${toIssuer.url}${base}/.well-known/jwks.json`
  }
  const apiKey = (): string => keys.at(-1) ?? ''
  const known = new Set<string>()
  const kept = stack.move()
  return {
    project,
    scratch,
    gatewayUrl: gateway.url,
    issuer,
    jwksUrl,
    answerForIssuer: toIssuer.handle,
    state,
    keyFile,
    async makeKey(consumer) {
      const key = await gateway.makeKey(consumer)
      known.add(key)
      return key
    },
    async useKey(key) {
      keys.push(key)
      await writeFile(keyFile, key, { mode: 0o600 })
    },
    apiKey,
    async call({ key = apiKey(), target = ROUTE } = {}) {
      const marks = [toOrigin, toIssuer].map((relay) => relay.passed().length)
      const called = await callGateway(gateway.url, target, key)
      const since = (relay: Relay, mark = 0): readonly Passed[] => relay.passed().slice(mark)
      const secrets = [...known, ...(key === null ? [] : [key])]
      return [
        hopOf('caller', 'gateway', called, secrets),
        ...since(toOrigin, marks[0]).map((passed) => hopOf('gateway', 'origin', passed, secrets)),
        ...since(toIssuer, marks[1]).map((passed) => hopOf('origin', 'issuer', passed, secrets)),
      ]
    },
    restartGateway: (change = {}) => gateway.restart(change),
    async startOrigin(start) {
      await origin.target?.[Symbol.asyncDispose]()
      delete origin.target
      const target = await start({ issuer: issuer() ?? '', jwksUrl: jwksUrl(), audience: AUDIENCE })
      origin.target = target
      toOrigin.to(target.url)
      return target
    },
    originLog: () => origin.target?.logTail?.() ?? [],
    gatewayEvents: gateway.events,
    async leak(key) {
      const body = scanner.bodyOf(`${CREDENTIAL_PREFIX}_api_key`, [
        { token: key, url: 'https://github.com/example/app/blob/main/.env' },
      ])
      const answer = await request(`${gateway.url}/__zuplo/secret-scanning`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...Object.fromEntries(scanner.headersFor(body)) },
        body,
      })
      return { status: answer.statusCode, body: await answer.body.text() }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** Sends what the curl line of the page sends. */
async function callGateway(base: string, target: string, key: string | null): Promise<Passed> {
  const sent = {
    Host: new URL(base).host,
    Accept: '*/*',
    ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
  }
  const answer = await request(`${base}${target}`, { headers: sent, responseHeaders: 'raw', reset: true })
  return {
    request: `GET ${target}`,
    headers: Object.entries(sent),
    status: answer.statusCode,
    answerHeaders: pairs(answer.headers as unknown as readonly string[]),
    answerBody: await answer.body.text(),
  }
}
