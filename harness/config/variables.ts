import type { Json, JsonObject } from '../model/json.ts'

/** What a hook is told, by name; undefined where it does not apply. */
export type Variables = Readonly<Record<string, string | number | boolean | undefined>>

/** A variable that is named and has no value. */
export class UnknownVariable extends Error {
  override readonly name = 'UnknownVariable'
  readonly variable: string

  constructor(variable: string) {
    super(`The variable ${variable} is not set`)
    this.variable = variable
  }
}

const PLACE = /\$\{(\w+)\}/gu
const ALONE = /^\$\{(\w+)\}$/u

/** Looks variables up: those of the hook first, then the environment. */
export class Filling {
  readonly #variables: Variables
  readonly #env: NodeJS.ProcessEnv

  constructor(variables: Variables, env: NodeJS.ProcessEnv) {
    this.#variables = variables
    this.#env = env
  }

  /** The text with its variables, each passed through `encode`; throws UnknownVariable. */
  text(template: string, encode: (value: string) => string = (value) => value): string {
    return template.replaceAll(PLACE, (_, name: string) => encode(String(this.#value(name) ?? '')))
  }

  /** The object with its variables; one that stands alone keeps its type, and goes where it does not apply. */
  object(template: JsonObject): JsonObject {
    return Object.fromEntries(
      Object.entries(template).flatMap(([name, value]) => {
        const filled = this.#json(value)
        return filled === undefined ? [] : [[name, filled] as const]
      }),
    )
  }

  #json(value: Json): Json | undefined {
    if (typeof value === 'string') {
      const alone = ALONE.exec(value)?.[1]
      return alone === undefined ? this.text(value) : this.#value(alone)
    }
    if (Array.isArray(value)) return value.flatMap((one: Json) => this.#json(one) ?? [])
    return typeof value === 'object' && value !== null ? this.object(value as JsonObject) : value
  }

  #value(name: string): string | number | boolean | undefined {
    if (Object.hasOwn(this.#variables, name)) return this.#variables[name]
    const value = this.#env[name]
    if (value === undefined) throw new UnknownVariable(name)
    return value
  }
}
