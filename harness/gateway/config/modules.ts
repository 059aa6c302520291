import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { OwnFunction } from '../policies/custom-code-inbound.ts'
import type { GatewayRequest } from '../request.ts'
import { zuploContext, zuploRequest } from '../runtime/request.ts'
import { JwtServicePlugin } from '../runtime/zuplo.ts'
import type { JwtServiceSettings } from '../settings.ts'
import { importOf, RUNTIME } from './variables.ts'
import { isObject, within, wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

const SHIM = new URL('../runtime/zuplo.ts', import.meta.url).href

/** The modules of a project, loaded once for this gateway. */
export interface OwnModules {
  /** The function that a module exports; an error at the place where there is none. */
  readonly functionOf: (module: string, exported: string, place: Place) => Promise<OwnFunction>
  /** Loads every module that the options name, so that its functions can be had without waiting. */
  readonly loadNamedIn: (options: unknown, place: Place) => Promise<void>
  /** Functions by `$import(module)#export`, for options; each takes the request of the gateway first. */
  readonly loaded: ReadonlyMap<string, OwnFunction>
  /** The JWT service that `modules/zuplo.runtime.ts` registers. */
  readonly jwtService: () => Promise<JwtServiceSettings | undefined>
}

let count = 0
let isHooked = false

/** Lets the modules of projects import the runtime of the documented gateway, which is ours here. */
function hook(): void {
  if (isHooked) return
  isHooked = true
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === RUNTIME ? { url: SHIM, shortCircuit: true, format: 'module-typescript' } : next(specifier, context),
  })
}

/** The modules of the project in a folder. */
export function ownModules(folder: string): OwnModules {
  hook()
  // A number of its own makes a module of its own: two gateways in one process share no state of their projects.
  count += 1
  const suffix = `?gateway=${count}`
  const loaded = new Map<string, OwnFunction>()
  const load = async (module: string, place: Place): Promise<Readonly<Record<string, unknown>>> => {
    const file = fileOf(folder, module)
    if (file === undefined) {
      throw wrong('There is no such module', place, { given: module, instead: 'a file such as ./modules/my-policy.ts' })
    }
    try {
      return (await import(`${pathToFileURL(file).href}${suffix}`)) as Readonly<Record<string, unknown>>
    } catch (error) {
      const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unknown'
      throw wrong('The module does not load', place, { module, reason, instead: 'a module without this error' }, error)
    }
  }
  return {
    loaded,
    async functionOf(module, exported, place) {
      const found = (await load(module, place))[exported]
      if (typeof found === 'function') return found as OwnFunction
      throw wrong('The module does not export this function', place, {
        module,
        given: exported,
        instead: 'an export of it',
      })
    },
    async loadNamedIn(options, place) {
      for (const [name, value] of Object.entries(isObject(options) ? options : {})) {
        const module = importOf(value)
        if (module === undefined) {
          await this.loadNamedIn(value, within(place, name))
          continue
        }
        for (const [exported, found] of Object.entries(await load(module, within(place, name)))) {
          if (typeof found === 'function') loaded.set(`${String(value)}#${exported}`, forGateway(found as OwnFunction))
        }
      }
    },
    async jwtService() {
      const place: Place = { file: 'modules/zuplo.runtime.ts', at: '' }
      if (fileOf(folder, './modules/zuplo.runtime') === undefined) return undefined
      const { runtimeInit } = await load('./modules/zuplo.runtime', place)
      if (runtimeInit === undefined) return undefined
      if (typeof runtimeInit !== 'function') {
        throw wrong('runtimeInit is no function', place, { instead: 'export function runtimeInit(runtime) { … }' })
      }
      let settings: JwtServiceSettings | undefined
      const addPlugin = (plugin: unknown): void => {
        if (!(plugin instanceof JwtServicePlugin)) {
          throw wrong('There is no such plugin', place, { given: nameOf(plugin), instead: 'JwtServicePlugin' })
        }
        settings = plugin.settings
      }
      await (runtimeInit as OwnFunction)({ addPlugin })
      return settings
    },
  }
}

/** Calls a function of the project with the request and the context that it expects. */
function forGateway(own: OwnFunction): OwnFunction {
  return (request, ...rest) =>
    own(zuploRequest(request as GatewayRequest), zuploContext(request as GatewayRequest), ...rest)
}

function nameOf(plugin: unknown): string {
  return isObject(plugin) ? (plugin.constructor.name ?? 'an object') : typeof plugin
}

/** The file of a module within the project; undefined where there is none. */
function fileOf(folder: string, module: string): string | undefined {
  const base = path.resolve(folder, module)
  const isInside = base.startsWith(`${path.resolve(folder)}${path.sep}`)
  return isInside ? [base, `${base}.ts`, `${base}.js`, `${base}.mjs`].find((file) => existsSync(file)) : undefined
}
