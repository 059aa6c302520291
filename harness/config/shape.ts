import { nearest } from '../model/nearest.ts'
import { isObject, join, kindOf, told } from './values.ts'
import type { Kind } from './values.ts'

/** A JSON Schema, draft-07. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** One thing that is wrong in a configuration. */
export interface Mistake {
  /** `limits[0].windowSec`; empty for the whole. */
  readonly member: string
  /** What stands there, if it can be shown; never a text that might be a credential. */
  readonly given?: string
  /** What to write. */
  readonly instead: string
}

/** What a value may be: one declaration, from which come the check and the published schema. */
export interface Shape {
  readonly kind: Kind
  /** What to write, for a sentence. */
  readonly says: string
  readonly schema: JsonSchema
  /** Member that tells this object from others in its place. */
  readonly tag?: string
  readonly check: (value: unknown, at: string) => readonly Mistake[]
}

const fine: readonly Mistake[] = []

/** A text; `test` is for what a pattern cannot say. It is shown only where it can hold no credential. */
export function text(
  says: string,
  options: {
    readonly pattern?: string
    readonly test?: (value: string) => boolean
    readonly shown?: true
    readonly empty?: true
  } = {},
): Shape {
  const { pattern, test = () => true, shown, empty } = options
  const matches = pattern === undefined ? () => true : (value: string) => new RegExp(pattern, 'u').test(value)
  return {
    kind: 'text',
    says,
    schema: { type: 'string', ...(empty ? {} : { minLength: 1 }), ...(pattern === undefined ? {} : { pattern }) },
    check: (value, at) =>
      typeof value === 'string' && (empty === true || value !== '') && matches(value) && test(value)
        ? fine
        : [{ member: at, given: told(value, shown), instead: says }],
  }
}

/** One of these texts. */
export function oneOf(values: readonly string[], says = `one of ${values.join(', ')}`): Shape {
  return {
    kind: 'text',
    says,
    schema: { enum: values },
    check(value, at) {
      if (typeof value === 'string' && values.includes(value)) return fine
      const likely = typeof value === 'string' ? `"${nearest(value, values)}", ${says}` : says
      return [{ member: at, given: told(value, true), instead: likely }]
    },
  }
}

/** A number within bounds. */
export function number(says: string, least?: number, most?: number, whole?: 'whole'): Shape {
  return {
    kind: 'number',
    says,
    schema: {
      type: whole ? 'integer' : 'number',
      ...(least === undefined ? {} : { minimum: least }),
      ...(most === undefined ? {} : { maximum: most }),
    },
    check: (value, at) =>
      typeof value === 'number' &&
      Number.isFinite(value) &&
      value >= (least ?? -Infinity) &&
      value <= (most ?? Infinity) &&
      (!whole || Number.isInteger(value))
        ? fine
        : [{ member: at, given: told(value, true), instead: says }],
  }
}

/** True or false, or only what is said. */
export function flag(): Shape {
  return {
    kind: 'flag',
    says: 'true or false',
    schema: { type: 'boolean' },
    check: (value, at) =>
      typeof value === 'boolean' ? fine : [{ member: at, given: told(value, true), instead: 'true or false' }],
  }
}

/** The value null. */
export function nothing(): Shape {
  return {
    kind: 'null',
    says: 'null',
    schema: { type: 'null' },
    check: (value, at) => (value === null ? fine : [{ member: at, given: told(value), instead: 'null' }]),
  }
}

/** A list of equal things. */
export function listOf(item: Shape, says: string, least = 0, most?: number): Shape {
  return {
    kind: 'list',
    says,
    schema: {
      type: 'array',
      items: item.schema,
      ...(least > 0 ? { minItems: least } : {}),
      ...(most === undefined ? {} : { maxItems: most }),
    },
    check(value, at) {
      if (!Array.isArray(value) || value.length < least || value.length > (most ?? Infinity)) {
        const given = Array.isArray(value) ? `a list of ${value.length}` : told(value)
        return [{ member: at, given, instead: says }]
      }
      return value.flatMap((one: unknown, index) => item.check(one, `${at}[${index}]`))
    },
  }
}

/** An object of these members: with a type, of all that it has. */
export function objectOf<T extends object = Readonly<Record<string, unknown>>>(
  shapes: { readonly [K in keyof T]-?: Shape },
  says: string,
  options: { readonly required?: readonly (keyof T & string)[]; readonly tag?: keyof T & string } = {},
): Shape {
  const members = shapes as Readonly<Record<string, Shape>>
  const { required = [], tag } = options
  const names = Object.keys(members)
  return {
    kind: 'object',
    says,
    ...(tag === undefined ? {} : { tag }),
    schema: {
      type: 'object',
      additionalProperties: false,
      ...(required.length > 0 ? { required } : {}),
      properties: Object.fromEntries(names.map((name) => [name, members[name]?.schema])),
    },
    check(value, at) {
      if (!isObject(value)) return [{ member: at, given: told(value), instead: says }]
      const missing = required.filter((name) => value[name] === undefined)
      return [
        ...missing.map((name) => ({ member: join(at, name), given: 'nothing', instead: members[name]?.says ?? says })),
        ...Object.entries(value).flatMap(([name, member]): readonly Mistake[] => {
          // A member that is undefined is one that is not there, as everywhere in this project.
          if (member === undefined) return fine
          const shape = Object.hasOwn(members, name) ? members[name] : undefined
          if (shape) return shape.check(member, join(at, name))
          const instead = `a known member; the nearest one is "${nearest(name, names)}"`
          return [{ member: join(at, name), instead }]
        }),
      ]
    },
  }
}

/** An object whose members have any name. */
export function mapOf(item: Shape, says: string): Shape {
  return {
    kind: 'object',
    says,
    schema: { type: 'object', additionalProperties: item.schema },
    check: (value, at) =>
      isObject(value)
        ? Object.entries(value).flatMap(([name, member]) => item.check(member, join(at, name)))
        : [{ member: at, given: told(value), instead: says }],
  }
}

/** One of several shapes; what is wrong is said of the one that was meant, by its kind or its tag. */
export function either(shapes: readonly Shape[], says: string): Shape {
  return {
    kind: 'any',
    says,
    schema: { anyOf: shapes.map(({ schema }) => schema) },
    check(value, at) {
      const results = shapes.map((shape) => ({ shape, mistakes: shape.check(value, at) }))
      if (results.some(({ mistakes }) => mistakes.length === 0)) return fine
      const alike = results.filter(({ shape }) => shape.kind === kindOf(value))
      const tagged = alike.filter(({ shape }) => isObject(value) && shape.tag !== undefined && shape.tag in value)
      const [meant, ...others] = tagged.length > 0 ? tagged : alike
      if (meant && others.length === 0) return meant.mistakes
      return [{ member: at, given: told(value), instead: says }]
    },
  }
}
