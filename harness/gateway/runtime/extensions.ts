import { nearest } from '../../model/nearest.ts'
import type { JwtServiceSettings } from '../settings.ts'
import { JwtServicePlugin } from './jwt-service-plugin.ts'
import { Misuse } from './misuse.ts'

/** What `runtimeInit` of a project is given. */
export interface RuntimeExtensions {
  readonly addPlugin: (plugin: unknown) => void
}

/** Extensions that take a plugin, and what they were given so far. What this gateway has not is refused by name. */
export function runtimeExtensions(): {
  readonly runtime: RuntimeExtensions
  readonly jwtService: () => JwtServiceSettings | undefined
} {
  let settings: JwtServiceSettings | undefined
  const own: RuntimeExtensions = {
    addPlugin(plugin) {
      if (!(plugin instanceof JwtServicePlugin)) {
        throw new Misuse(`The gateway has no plugin ${nameOf(plugin)}; it has JwtServicePlugin`)
      }
      if (settings) throw new Misuse('JwtServicePlugin is registered twice')
      ;({ settings } = plugin)
    },
  }
  const names = Object.keys(own)
  const absent = (name: string | symbol): Misuse =>
    new Misuse(`The gateway has no runtime.${String(name)}; it has runtime.${nearest(String(name), names)}`)
  const runtime = new Proxy(own, {
    get(target, name, receiver) {
      // A promise that is settled with an object asks it for `then`.
      if (name === 'then' || Reflect.has(target, name)) return Reflect.get(target, name, receiver) as unknown
      throw absent(name)
    },
    set(_, name) {
      throw absent(name)
    },
  })
  return { runtime, jwtService: () => settings }
}

function nameOf(plugin: unknown): string {
  if (typeof plugin === 'function') return plugin.name
  return typeof plugin === 'object' && plugin !== null ? plugin.constructor.name : typeof plugin
}
