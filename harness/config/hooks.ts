import { randomUUID } from 'node:crypto'
import { Inconclusive, NotApplicable } from '../model/errors.ts'
import type { GatewayHooks, KeyWish } from '../model/gateway-bench.ts'
import type { ApiKey } from '../model/gateway-profile.ts'
import { failed, perform } from './action.ts'
import { WISH_VARIABLES } from './hooks-config.ts'
import type { ActionHook, HooksConfig, IssueHook, Issuing, OutageHook, Wish } from './hooks-config.ts'
import { isObject } from './values.ts'
import type { Variables } from './variables.ts'
import { outage } from './outages.ts'

/** What hooks need besides their configuration. */
export interface HookMeans {
  readonly env: NodeJS.ProcessEnv
  /** Time at the gateway, in milliseconds since the epoch. */
  readonly nowMs: () => number
  /** Told what could not be put up again: one sentence. */
  readonly onFailure: (sentence: string) => void
}

/** What an operator can do, by the hooks of a configuration. */
export function hooksOf(config: HooksConfig, means: HookMeans): Partial<GatewayHooks> {
  const ids = new Map<string, string>()
  const call = async (name: string, action: ActionHook, variables: Variables = {}): Promise<void> => {
    await perform(action, { name, variables }, means.env)
  }
  const { issueKey, revokeKey, rotateSigningKey, revokeSigningKey, restart, logs } = config
  const outages = (['keyStoreDown', 'limitStoreDown', 'signerDown'] as const).flatMap((name) => {
    const hook = config[name]
    return hook === undefined ? [] : [[name, () => takeDown(name, hook, means)] as const]
  })
  return {
    ...(issueKey === undefined ? {} : { issueKey: (wish) => issue(issueKey, wish ?? {}, means, ids) }),
    ...(revokeKey === undefined
      ? {}
      : {
          revokeKey: ({ key, consumer }) =>
            call('revokeKey', revokeKey, { KEY: key, CONSUMER: consumer, ID: ids.get(key) }),
        }),
    ...(rotateSigningKey === undefined ? {} : { rotateSigningKey: () => call('rotateSigningKey', rotateSigningKey) }),
    ...(revokeSigningKey === undefined
      ? {}
      : { revokeSigningKey: (kid) => call('revokeSigningKey', revokeSigningKey, { KID: kid }) }),
    ...(restart === undefined ? {} : { restart: () => call('restart', restart) }),
    ...(Object.fromEntries(outages) as Partial<Pick<GatewayHooks, 'keyStoreDown' | 'limitStoreDown' | 'signerDown'>>),
    ...(logs === undefined
      ? {}
      : { logs: () => perform(logs, { name: 'logs', variables: {}, wantsOutput: true }, means.env) }),
  }
}

async function takeDown(name: string, hook: OutageHook, { env, onFailure }: HookMeans): Promise<AsyncDisposable> {
  const pair = typeof hook === 'object' && 'down' in hook ? hook : { down: hook, up: hook }
  const act = (action: ActionHook, ACTION: 'down' | 'up') =>
    perform(action, { name: `${name}.${ACTION}`, variables: { ACTION } }, env)
  // It may have gone down although the hook failed: it is put up in any case.
  const end = outage(async () => {
    try {
      await act(pair.up, 'up')
    } catch (error) {
      if (!(error instanceof Inconclusive)) throw error
      onFailure(`${error.message} What it took down may still be down.`)
    }
  })
  try {
    await act(pair.down, 'down')
  } catch (error) {
    await end[Symbol.asyncDispose]()
    throw error
  }
  return end
}

async function issue(hook: IssueHook, wish: KeyWish, means: HookMeans, ids: Map<string, string>): Promise<ApiKey> {
  const { result }: Issuing = typeof hook === 'string' ? {} : hook
  const wishes = wishesOf(hook)
  const wished = Object.entries(wish).filter(([, value]) => value !== undefined && value !== false)
  const unheeded = wished.map(([name]) => name).find((name) => !wishes.some((heeded) => heeded === name))
  if (unheeded !== undefined) {
    throw new NotApplicable(`The hook issueKey does not say that it heeds "${unheeded}" in its "wishes".`)
  }
  const consumer = wish.like?.consumer ?? `trustspec-${randomUUID()}`
  const { expiresInSec } = wish
  const ends = expiresInSec === undefined ? undefined : new Date(means.nowMs() + expiresInSec * 1000)
  const told = Object.entries({ ...wish, like: wish.like?.key }) as [Wish, string | number | boolean | undefined][]
  const variables: Variables = {
    CONSUMER: consumer,
    ...Object.fromEntries(Object.values(WISH_VARIABLES).map((name) => [name, undefined])),
    ...Object.fromEntries(told.map(([name, value]) => [WISH_VARIABLES[name], value])),
    EXPIRES_AT: ends?.toISOString(),
  }
  const output = await perform(hook, { name: 'issueKey', variables, wantsOutput: true }, means.env)
  const made = parsed(output)
  const at = (name: keyof NonNullable<Issuing['result']>): unknown =>
    result === undefined
      ? pointed(made, `/${name}`)
      : result[name] === undefined
        ? undefined
        : pointed(made, result[name])
  const text = (name: 'key' | 'consumer' | 'subject' | 'id'): string | undefined => {
    const value = at(name)
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const key = text('key')
  if (key === undefined) {
    throw failed('issueKey', `it gave back no key at ${result?.key ?? '/key'}; what is due is {"key": "…"}`)
  }
  const id = text('id')
  if (id !== undefined) ids.set(key, id)
  const subject = text('subject')
  const identity = at('identity')
  return {
    key,
    consumer: text('consumer') ?? consumer,
    ...(subject === undefined ? {} : { subject }),
    ...(isTexts(identity) ? { identity } : {}),
  }
}

/** The wishes that the hook heeds. */
export function wishesOf(hook: IssueHook | undefined): readonly Wish[] {
  return (typeof hook === 'object' ? hook.wishes : undefined) ?? []
}

/** JSON, or the key alone on a line. */
function parsed(output: string): unknown {
  const text = output.trim()
  if (/^[^\s{["]+$/u.test(text)) return { key: text }
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What a JSON pointer leads to, RFC 6901; undefined where there is nothing. */
function pointed(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((at, name) => {
      if (Array.isArray(at)) return at[Number(name)]
      return isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined
    }, value)
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every((one) => typeof one === 'string')
}
