import { request } from 'undici'
import { Inconclusive, NotApplicable } from '../model/errors.ts'
import type { Json } from '../model/json.ts'
import { runCommand } from './command.ts'
import type { ActionHook, CommandHook, HttpHook } from './hooks-config.ts'
import { Filling, UnknownVariable } from './variables.ts'
import type { Variables } from './variables.ts'

/** Longest time for a hook that says none, in milliseconds. */
const DEFAULT_MS = 30_000

/** Characters of a complaint that are told. */
const TOLD_LENGTH = 200

/** A hook as it is called: its name for sentences, and what it is told. */
export interface Invocation {
  /** `issueKey`, `keyStoreDown.up`. */
  readonly name: string
  readonly variables: Variables
  /** What it gives back counts. */
  readonly wantsOutput?: boolean
}

/** Does what a hook says and gives back its output; throws Inconclusive with a sentence, free of secrets. */
export async function perform(action: ActionHook, invocation: Invocation, env: NodeJS.ProcessEnv): Promise<string> {
  const hook = typeof action === 'string' ? { command: action } : action
  return 'command' in hook ? await runHook(hook, invocation) : await callHook(hook, invocation, env)
}

/** A sentence about a hook that failed. */
export function failed(name: string, why: string): Inconclusive {
  return new Inconclusive(`The hook ${name} failed: ${why}.`)
}

async function runHook({ command, timeoutSec }: CommandHook, invocation: Invocation): Promise<string> {
  const { name, variables, wantsOutput = false } = invocation
  const untold = Object.entries(variables).find(([, value]) => typeof value === 'string' && value.includes('\0'))
  if (untold) throw new NotApplicable(`The hook ${name} is a command, which cannot be told of NUL in ${untold[0]}.`)
  const { failure, output, complaint } = await runCommand(
    command,
    { HOOK: name, ...variables },
    { timeoutMs: timeoutSec === undefined ? DEFAULT_MS : timeoutSec * 1000, wantsOutput },
  )
  if (failure === undefined) return output
  const said = withoutSecrets(complaint, variables)
  throw failed(name, said === '' ? failure : `${failure}, ${said}`)
}

async function callHook(hook: HttpHook, invocation: Invocation, env: NodeJS.ProcessEnv): Promise<string> {
  const { name, variables, wantsOutput } = invocation
  const isRead = hook.body === undefined && wantsOutput === true && name === 'logs'
  const method = hook.method ?? (isRead ? 'GET' : 'POST')
  const place = `${method} ${placeOf(hook.url)}`
  try {
    const fill = new Filling({ HOOK: name, ...variables }, env)
    const headers = Object.fromEntries(
      Object.entries(hook.headers ?? {}).map(([line, value]) => [line, fill.text(value)]),
    )
    const answer = await request(fill.text(hook.url, encodeURIComponent), {
      method,
      headers: typeof hook.body === 'object' ? { 'content-type': 'application/json', ...headers } : headers,
      body: bodyOf(hook.body, fill),
      signal: AbortSignal.timeout(hook.timeoutSec === undefined ? DEFAULT_MS : hook.timeoutSec * 1000),
    })
    const text = await answer.body.text()
    if (answer.statusCode >= 200 && answer.statusCode < 300) return text
    throw failed(name, `${place} was answered with status ${answer.statusCode}`)
  } catch (error) {
    if (error instanceof Inconclusive) throw error
    throw failed(name, `${place}: ${reasonOf(error)}`)
  }
}

function bodyOf(body: HttpHook['body'], fill: Filling): string | null {
  if (body === undefined) return null
  return typeof body === 'string' ? fill.text(body) : JSON.stringify(fill.object(body) satisfies Json)
}

/** Host and path as they are configured: what is filled in, and a query, may be a secret. */
function placeOf(url: string): string {
  return url.replace(/[?#].*$/su, '')
}

/** Why a call failed, by what is known to hold no secret. */
function reasonOf(error: unknown): string {
  if (error instanceof UnknownVariable) return `the variable ${error.variable} is not set`
  if (error instanceof Error && error.name === 'TimeoutError') return 'no answer in time'
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^[A-Z][A-Z0-9_]+$/u.test(code) ? code : 'it could not be sent'
}

/** The line without the values of the hook and without words that look like credentials. */
function withoutSecrets(line: string, variables: Variables): string {
  const told = Object.entries(variables).reduce(
    (rest, [name, value]) => (typeof value === 'string' && value !== '' ? rest.replaceAll(value, `$${name}`) : rest),
    line,
  )
  return told
    .replaceAll(/(?=[^\s]*\d)[\w+=~-]{20,}/gu, '…')
    .slice(0, TOLD_LENGTH)
    .replace(/[.\s]+$/u, '')
}
