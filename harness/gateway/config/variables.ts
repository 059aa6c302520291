import { readFileSync } from 'node:fs'
import path from 'node:path'
import { nearest } from '../../model/nearest.ts'
import { isObject, within, wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

/** Variables of the environment that a project can use. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The environment with what the project's own `.env` adds: what is set outside wins. */
export function environmentOf(folder: string, outside: Environment): Environment {
  let text: string
  try {
    text = readFileSync(path.join(folder, '.env'), 'utf8')
  } catch {
    return outside
  }
  const own = text.split('\n').flatMap((line) => {
    const parts = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/u.exec(line)
    return parts ? [[parts[1] ?? '', unquoted(parts[2] ?? '')] as const] : []
  })
  return { ...Object.fromEntries(own), ...outside }
}

function unquoted(value: string): string {
  const quoted = /^(["'])(.*)\1$/u.exec(value)
  return quoted?.[2] ?? value
}

/** The value of a variable; without one the project does not start. */
export function variable(name: string, environment: Environment, place: Place): string {
  const value = environment[name]
  if (value !== undefined) return value
  const known = Object.keys(environment)
  const likely = nearest(name, known)
  const isClose = likely !== '' && likely.toLowerCase().includes(name.toLowerCase().slice(0, 3))
  throw wrong('The variable is not set', place, {
    variable: name,
    instead: isClose ? `set ${name}, or use ${likely}` : `set ${name} in the environment or in the file .env`,
  })
}

/** A value with every `$env(NAME)` in its texts replaced. */
export function withEnvironment(value: unknown, environment: Environment, place: Place): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(/\$env\(([^)]*)\)/gu, (_, name: string) => variable(name.trim(), environment, place))
  }
  if (Array.isArray(value)) return value.map((item, at) => withEnvironment(item, environment, within(place, at)))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withEnvironment(member, environment, within(place, name))]),
  )
}

/** The module of `$import(…)`; undefined for any other text. */
export function importOf(value: unknown): string | undefined {
  return typeof value === 'string' ? /^\$import\(([^)]+)\)$/u.exec(value)?.[1]?.trim() : undefined
}

/** The module of the gateway's own policies and handlers. */
export const RUNTIME = '@zuplo/runtime'
