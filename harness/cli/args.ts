import { parseArgs } from 'node:util'
import type { ParseArgsOptionsConfig } from 'node:util'
import { TrustspecError } from '../model/errors.ts'
import { nearest } from '../model/nearest.ts'
import { FLAGS } from './flags.ts'

export type Command = keyof typeof FLAGS

/** What was given: flags by name, and the rest. */
export interface Given {
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  readonly positionals: readonly string[]
}

/** Splits the arguments of a command; ERR_USAGE for an unknown flag or a value that is missing. */
export function readArgs(command: Command, args: readonly string[]): Given {
  const known = Object.keys(FLAGS[command])
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: FLAGS[command], allowPositionals: true })
    return { values: values as Given['values'], positionals }
  } catch (error) {
    const mistyped = /^Unknown option '(-+)([^']+)'/u.exec(error instanceof Error ? error.message : '')
    if (mistyped) {
      throw usage(
        'There is no such flag',
        {
          flag: `${mistyped[1]}${mistyped[2]}`,
          instead: `--${nearest(mistyped[2] ?? '', known)}, or see --help`,
        },
        error,
      )
    }
    const named = /'(?:-\w, )?(--[\w-]+)/u.exec(error instanceof Error ? error.message : '')?.[1] ?? 'a flag'
    const takes = known.find((name) => `--${name}` === named)
    const isFlag = takes !== undefined && (FLAGS[command] as ParseArgsOptionsConfig)[takes]?.type === 'boolean'
    throw usage(
      isFlag ? 'The flag takes no value' : 'The flag needs a value',
      {
        flag: named,
        instead: isFlag ? named : `${named}=VALUE`,
      },
      error,
    )
  }
}

/** The URL of an HTTP server, without credentials; ERR_USAGE otherwise. */
export function urlOf(text: string, flag: string, credentials: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    const guess =
      url === undefined || !text.includes('://') ? `http://${text}` : 'a URL that starts with http:// or https://'
    throw usage(`${flag} is no URL of an HTTP server`, { given: text, instead: guess })
  }
  if (url.username !== '' || url.password !== '') {
    throw usage('The URL holds credentials', { given: url.host, instead: `the URL without them, and ${credentials}` })
  }
  return url
}

/** An ERR_USAGE. */
export function usage(
  message: string,
  fields: Readonly<Record<string, string | number>>,
  cause?: unknown,
): TrustspecError {
  return new TrustspecError('ERR_USAGE', message, fields, cause === undefined ? {} : { cause })
}

/** The text of a flag, if it was given. */
export function textOf({ values }: Given, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}

/** The parts of a flag that may be repeated or hold commas. */
export function listOf({ values }: Given, name: string): readonly string[] | undefined {
  const value = values[name]
  if (!Array.isArray(value)) return undefined
  return (value as readonly string[])
    .flatMap((part) => part.split(','))
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** The values of a flag that may be repeated, commas and all. */
export function valuesOf({ values }: Given, name: string): readonly string[] {
  const value = values[name]
  return Array.isArray(value) ? (value as readonly string[]) : []
}

/** A whole number within bounds; ERR_USAGE otherwise. */
export function numberOf(given: Given, name: string, least: number, most: number): number | undefined {
  const value = textOf(given, name)
  if (value === undefined) return undefined
  const number = Number(value)
  if (value.trim() === '' || !Number.isInteger(number) || number < least || number > most) {
    throw usage('The value is no whole number within the bounds', {
      flag: `--${name}`,
      given: value,
      instead: `a whole number from ${least} to ${most}`,
    })
  }
  return number
}
