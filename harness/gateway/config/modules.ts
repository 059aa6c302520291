import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { nearest } from '../../model/nearest.ts'
import type { OwnFunction } from '../policies/custom-code-inbound.ts'
import type { GatewayRequest } from '../request.ts'
import { zuploContext } from '../runtime/context.ts'
import { runtimeExtensions } from '../runtime/extensions.ts'
import { projectLoader, RUNTIME, RUNTIME_NAMES } from '../runtime/loader.ts'
import { zuploRequest } from '../runtime/request.ts'
import type { JwtServiceSettings } from '../settings.ts'
import { importOf } from './variables.ts'
import type { Environment } from './variables.ts'
import { isObject, within, wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

/** The modules of a project, loaded once for this gateway. */
export interface OwnModules {
  /** The function that a module exports; an error at the place of the one or the other where there is none. */
  readonly functionOf: (module: Named, exported: Named) => Promise<OwnFunction>
  /** Loads every module that the options name, so that its functions can be had without waiting. */
  readonly loadNamedIn: (options: unknown, place: Place) => Promise<void>
  /** Functions by `$import(module)#export`, for options; each takes the request of the gateway first. */
  readonly loaded: ReadonlyMap<string, OwnFunction>
  /** The JWT service that `modules/zuplo.runtime.ts` registers. */
  readonly jwtService: () => Promise<JwtServiceSettings | undefined>
}

/** A name, and where it stands. */
interface Named {
  readonly name: string
  readonly place: Place
}

const INIT = './modules/zuplo.runtime'

type Exports = Readonly<Record<string, unknown>>

/** The modules of the project in a folder. */
export function ownModules(folder: string, environment: Environment): OwnModules {
  const importUrl = projectLoader(environment)
  const loaded = new Map<string, OwnFunction>()

  const load = async ({ name: module, place }: Named): Promise<Exports> => {
    const file = fileOf(folder, module)
    if (file === undefined) {
      throw wrong('There is no such module', place, { given: module, instead: 'a file such as ./modules/my-policy.ts' })
    }
    try {
      return await importUrl(pathToFileURL(file))
    } catch (error) {
      throw notLoaded(module, error, place)
    }
  }

  const functionOf: OwnModules['functionOf'] = async (module, { name, place }) => {
    const exports = await load(module)
    const found = Object.hasOwn(exports, name) ? exports[name] : undefined
    if (typeof found === 'function') return found as OwnFunction
    const names = Object.keys(exports).filter((one) => typeof exports[one] === 'function')
    throw wrong('The module does not export this function', place, {
      module: module.name,
      given: name,
      instead: names.length === 0 ? `export function ${name}` : nearest(name, names),
    })
  }

  const loadNamedIn: OwnModules['loadNamedIn'] = async (options, place) => {
    for (const [name, value] of isObject(options) ? Object.entries(options) : []) {
      const from = importOf(value)
      if (from === undefined) {
        await loadNamedIn(value, within(place, name))
        continue
      }
      const module = { name: from, place: within(place, name) }
      for (const [exported, found] of Object.entries(await load(module))) {
        if (typeof found === 'function') loaded.set(`${String(value)}#${exported}`, forGateway(found as OwnFunction))
      }
      for (const [beside, exported] of Object.entries(options as Exports)) {
        if (!/export$/iu.test(beside) || typeof exported !== 'string') continue
        await functionOf(module, { name: exported, place: within(place, beside) })
      }
    }
  }

  return {
    functionOf,
    loadNamedIn,
    loaded,
    async jwtService() {
      const file = fileOf(folder, INIT)
      if (file === undefined) return undefined
      const place: Place = { file: path.relative(folder, file), at: '' }
      const { runtimeInit } = await load({ name: INIT, place })
      if (typeof runtimeInit !== 'function') {
        throw wrong('The module does not export runtimeInit', place, {
          instead: 'export function runtimeInit(runtime) { … }',
        })
      }
      const { runtime, jwtService } = runtimeExtensions()
      try {
        await (runtimeInit as OwnFunction)(runtime)
      } catch (error) {
        throw wrong('runtimeInit cannot be run', place, { reason: reasonOf(error), instead: 'one without this' }, error)
      }
      return jwtService()
    },
  }
}

/** Calls a function of the project with the request and the context that it expects. */
function forGateway(own: OwnFunction): OwnFunction {
  return (request, ...rest) =>
    own(zuploRequest(request as GatewayRequest), zuploContext(request as GatewayRequest), ...rest)
}

function notLoaded(module: string, error: unknown, place: Place) {
  const reason = reasonOf(error)
  const [, from, name] = /module '(.*)' does not provide an export named '(.*)'/u.exec(reason) ?? []
  if (from === RUNTIME && name !== undefined) {
    const instead = `one of ${RUNTIME_NAMES.join(', ')}`
    const fields = { module, given: name, instead }
    return wrong(`There is no such name in ${RUNTIME}`, place, fields, error)
  }
  // Node takes types out of a module, but cannot know that a name imported from another file is one.
  const instead = name === undefined ? 'a module without this error' : `import type { ${name} }, if it is a type`
  return wrong('The module does not load', place, { module, reason, instead }, error)
}

function reasonOf(error: unknown): string {
  const line = error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unknown'
  return line.replace(/[.;]?$/u, '')
}

/** The file of a module within the project; undefined where there is none. */
function fileOf(folder: string, module: string): string | undefined {
  const base = path.resolve(folder, module)
  if (!base.startsWith(`${path.resolve(folder)}${path.sep}`)) return undefined
  const files = [base, `${base}.ts`, `${base}.js`, `${base}.mjs`]
  return files.find((file) => existsSync(file) && statSync(file).isFile())
}
