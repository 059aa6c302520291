import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseEnv } from 'node:util'
import { nearest } from '../../model/nearest.ts'
import { isObject, within, wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

/** Variables of the environment that a project can use. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Letters at the beginning that two names of variables share, where one is offered in place of the other. */
const ALIKE = 3

/** The environment with what the project's own `.env` adds: what is set outside wins. */
export function environmentOf(folder: string, outside: Environment): Environment {
  try {
    return { ...parseEnv(readFileSync(path.join(folder, '.env'), 'utf8')), ...outside }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return { ...outside }
    const reason = { reason: code ?? 'unknown', instead: 'a file to read, or none' }
    throw wrong('The file cannot be read', { file: '.env', at: '' }, reason, error)
  }
}

/** The value of a variable; without one the project does not start. */
export function variable(name: string, environment: Environment, place: Place): string {
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined
  if (value !== undefined) return value
  const likely = nearest(name, Object.keys(environment))
  const isClose = likely !== '' && likely.slice(0, ALIKE).toLowerCase() === name.slice(0, ALIKE).toLowerCase()
  throw wrong('The variable is not set', place, {
    variable: name,
    instead: isClose ? `set ${name}, or use ${likely}` : `set ${name} in the environment or in the file .env`,
  })
}

/** A value with every `$env(NAME)` in its texts replaced. */
export function withEnvironment(value: unknown, environment: Environment, place: Place): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(/\$env\(([^)]*)(\)?)/gu, (given, name: string, end: string) => {
      if (end === '') throw wrong('The variable has no end', place, { given, instead: '$env(NAME)' })
      return variable(name.trim(), environment, place)
    })
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
