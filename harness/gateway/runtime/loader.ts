import { existsSync, statSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { RUNTIME_TYPES, RUNTIME_VALUES } from './zuplo.ts'

/** The module that projects import the runtime from. */
export const RUNTIME = '@zuplo/runtime'

/** Every name that it exports. */
export const RUNTIME_NAMES: readonly string[] = [...Object.keys(RUNTIME_VALUES), 'environment', ...RUNTIME_TYPES]

/** Marks a module as one of the project of a gateway; vitest.config.ts knows the word as well. */
const MARK = 'gateway'

/** URLs of the runtime as modules see it. */
const SCHEME = 'trustspec:runtime'

/** Where a runtime module finds its values, by number of the gateway; shared by all copies of this module. */
const EXPORTS = Symbol.for('trustspec.gateway.runtime')

const EXTENSIONS = ['', '.ts', '.js', '.mjs', '/index.ts', '/index.js']

type Values = Readonly<Record<string, unknown>>

const shared = globalThis as { [EXPORTS]?: Map<number, Values> }

let isHooked = false

/** Imports modules of one project for one gateway. */
export type ProjectLoader = (url: URL) => Promise<Values>

/**
 * A loader of its own for each gateway. Every module that it loads, and every one that those import from the project,
 * has the number of the gateway in its URL: that makes a module of its own, so that two gateways in one process share
 * no state of their projects, and each has its own `environment`.
 */
export function projectLoader(environment: Readonly<Record<string, string | undefined>>): ProjectLoader {
  if (!isHooked) registerHooks({ resolve, load })
  isHooked = true
  const gateways = (shared[EXPORTS] ??= new Map())
  const gateway = gateways.size + 1
  const types = Object.fromEntries(RUNTIME_TYPES.map((name) => [name, undefined]))
  gateways.set(gateway, { ...types, ...RUNTIME_VALUES, environment: Object.freeze({ ...environment }) })
  return async (url) => {
    const marked = markedAs(url.href, String(gateway))
    return (await import(marked)) as Values
  }
}

function gatewayOf(url: string | undefined): string | undefined {
  if (url === undefined || !url.startsWith('file:')) return undefined
  return new URL(url).searchParams.get(MARK) ?? undefined
}

function markedAs(url: string, gateway: string): string {
  const marked = new URL(url)
  marked.searchParams.set(MARK, gateway)
  return marked.href
}

type Hooks = Required<Parameters<typeof registerHooks>[0]>

const resolve: Hooks['resolve'] = (specifier, context, next) => {
  const gateway = gatewayOf(context.parentURL)
  if (gateway === undefined) return next(specifier, context)
  if (specifier === RUNTIME) return { url: `${SCHEME}?${MARK}=${gateway}`, format: 'module', shortCircuit: true }
  if (!/^\.{1,2}\//u.test(specifier)) return next(specifier, context)
  // Bundlers, for which projects are written, find a file without its extension.
  const found = EXTENSIONS.map((extension) => new URL(`${specifier}${extension}`, context.parentURL)).find(isFile)
  const resolved = next(found ? (found.href.split('?')[0] ?? specifier) : specifier, context)
  return { ...resolved, url: markedAs(resolved.url, gateway) }
}

const load: Hooks['load'] = (url, context, next) => {
  if (!url.startsWith(SCHEME)) return next(url, context)
  const gateway = Number(new URL(url).searchParams.get(MARK))
  const names = Object.keys(shared[EXPORTS]?.get(gateway) ?? {})
  const values = `globalThis[Symbol.for(${JSON.stringify(EXPORTS.description)})].get(${gateway})`
  return { format: 'module', shortCircuit: true, source: `export const { ${names.join(', ')} } = ${values}` }
}

function isFile(url: URL): boolean {
  const path = fileURLToPath(url)
  return existsSync(path) && statSync(path).isFile()
}
