import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parse } from 'yaml'
import { TrustspecError } from '../model/errors.ts'
import { moduleBeside } from '../model/files.ts'
import { settingsOf } from './settings.ts'
import type { Settings } from './settings.ts'

/** Names of a configuration that is found by itself. */
const NAMES = ['ts', 'mts', 'js', 'mjs', 'json', 'yaml', 'yml'].map((extension) => `trustspec.config.${extension}`)

/** What configurations import, wherever they lie. */
const OWN = new Set(['trustspec', 'trustspec/config'])

const DEFINE = moduleBeside('define', import.meta.url).href

let isHooked = false

/** Names of the configurations in the folder. */
export function findConfigs(folder: string): readonly string[] {
  return NAMES.filter((name) => existsSync(path.join(folder, name)))
}

/** The configuration in the folder; undefined where there is none, ERR_USAGE where there are several. */
export function findConfig(folder: string): string | undefined {
  const found = findConfigs(folder)
  const [only, ...others] = found
  if (only === undefined) return undefined
  if (others.length > 0) {
    throw new TrustspecError('ERR_USAGE', 'There is more than one configuration', {
      given: found.join(' and '),
      instead: 'one of them, or --config FILE',
    })
  }
  return path.join(folder, only)
}

/** Reads and checks a configuration: code, JSON or YAML, by the name of the file. */
export async function loadConfig(file: string, env: NodeJS.ProcessEnv): Promise<Settings> {
  const where = path.relative(process.cwd(), file).startsWith('..') ? file : path.relative(process.cwd(), file)
  if (!existsSync(file)) throw unusable(where, 'does not exist', 'a file that exists')
  const extension = path.extname(file)
  if (/^\.[cm]?[jt]s$/u.test(extension)) return settingsOf(await imported(file, where), where, env)
  if (!['.json', '.yaml', '.yml'].includes(extension)) {
    throw unusable(
      where,
      `has the extension ${extension || '(none)'}`,
      NAMES.map((name) => path.extname(name)).join(', '),
    )
  }
  return settingsOf(await parsed(file, where, extension === '.json'), where, env)
}

async function parsed(file: string, where: string, isJson: boolean): Promise<unknown> {
  try {
    const text = await readFile(file, 'utf8')
    return isJson ? JSON.parse(text) : parse(text, { maxAliasCount: 100 })
  } catch (error) {
    throw unusable(where, placeOf(error), isJson ? 'JSON' : 'YAML', error)
  }
}

/** Where a parser stopped; not what stood there, which may be a key. */
function placeOf(error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  const [, line, column] = /line (\d+),? column (\d+)/u.exec(message) ?? []
  if (line !== undefined) return `cannot be parsed at line ${line}, column ${column}`
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  return code === undefined ? 'cannot be parsed' : `cannot be read: ${code}`
}

async function imported(file: string, where: string): Promise<unknown> {
  if (!isHooked) registerHooks({ resolve: (name, context, next) => next(OWN.has(name) ? DEFINE : name, context) })
  isHooked = true
  let exported: Readonly<Record<string, unknown>>
  try {
    exported = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>
  } catch (error) {
    const [first = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
    throw unusable(where, `failed: ${first.slice(0, 200)}`, 'a module that can be imported', error)
  }
  if (!('default' in exported)) {
    throw unusable(where, 'has no default export', 'export default defineGateway({ … })')
  }
  return exported['default']
}

function unusable(file: string, what: string, instead: string, cause?: unknown): TrustspecError {
  return new TrustspecError(
    'ERR_USAGE',
    'The configuration cannot be used',
    { file, given: what, instead },
    cause === undefined ? {} : { cause },
  )
}
