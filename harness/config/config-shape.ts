import { pathText, port, url, words } from './common-shapes.ts'
import type { ChainConfig, Config, GatewayConfig, OriginConfig } from './define.ts'
import { GATE_MEMBERS } from './gate-shape.ts'
import { GATEWAY_MEMBERS, GATEWAY_ROUTE } from './gateway-shape.ts'
import { ACTION, hooksShape, OUTAGE } from './hooks-shape.ts'
import { ORIGIN_MEMBERS } from './origin-shape.ts'
import { objectOf, oneOf, text } from './shape.ts'
import { isObject } from './values.ts'
import type { JsonSchema, Shape } from './shape.ts'

const $schema = text('the place of the JSON Schema')

const gatewayMembers = {
  $schema,
  ...GATEWAY_MEMBERS,
  url,
  hooks: hooksShape,
  capturePort: port,
  secondCapturePort: port,
  scannerPort: port,
  clockUrl: url,
} satisfies Readonly<Record<keyof GatewayConfig, Shape>>

/** What is in a chain as well. */
const reachedMembers = {
  $schema,
  ...ORIGIN_MEMBERS,
  url,
  issuerPort: port,
  tokenCommand: words,
  clockUrl: url,
} satisfies Readonly<Record<keyof ChainConfig['origin'], Shape>>

const originMembers = { ...reachedMembers, exec: words, path: pathText } satisfies Readonly<
  Record<keyof OriginConfig, Shape>
>

const chainMembers = {
  $schema,
  // What defineGateway and defineOrigin give may stand here as well.
  gateway: objectOf({ ...gatewayMembers, subject: oneOf(['gateway']) }, 'the configuration of a gateway'),
  origin: objectOf({ ...reachedMembers, subject: oneOf(['origin']) }, 'the configuration of an origin'),
  tapPort: port,
  jwksProxyPort: port,
} satisfies Readonly<Record<keyof ChainConfig, Shape>>

const whole = (subject: Config['subject'], members: Readonly<Record<string, Shape>>, required: readonly string[]) => {
  const all: Readonly<Record<string, Shape>> = { subject: oneOf([subject]), ...members, ...GATE_MEMBERS }
  const says = `the configuration of ${subject === 'origin' ? 'an' : 'a'} ${subject}`
  return objectOf(all, says, { required: ['subject', ...required] })
}

/** The whole of a configuration, by what is under test. */
export const CONFIG_SHAPES: Readonly<Record<Config['subject'], Shape>> = {
  gateway: whole('gateway', gatewayMembers, []),
  origin: whole('origin', originMembers, []),
  chain: whole('chain', chainMembers, ['gateway', 'origin']),
}

/** An origin's profile alone, as --profile-file has it. */
export const PROFILE_SHAPE = objectOf({ $schema, ...ORIGIN_MEMBERS }, 'a JSON object')

/** Parts that stand in several places of the schema, by the names of its definitions. */
const DEFINITIONS: ReadonlyMap<unknown, string> = new Map(
  Object.entries({
    hooks: hooksShape,
    ...Object.fromEntries(
      (['keys', 'routes', 'limits', 'quota', 'keyFormat', 'algorithms'] as const).map((name) => [
        name,
        GATEWAY_MEMBERS[name],
      ]),
    ),
    originRoutes: ORIGIN_MEMBERS.routes,
    jwks: ORIGIN_MEMBERS.jwks,
    apiKey: ORIGIN_MEMBERS.apiKey,
    failOn: GATE_MEMBERS.failOn,
    gatewayRoute: GATEWAY_ROUTE,
    action: ACTION,
    outage: OUTAGE,
  }).map(([name, { schema }]) => [schema, name]),
)

/** The schema of trustspec.config.json and .yaml, as it is published. */
export function configSchema(): JsonSchema {
  const definitions = [...DEFINITIONS].map(([schema, name]) => [name, referring(schema, schema)] as const)
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of trustspec',
    oneOf: Object.values(CONFIG_SHAPES).map(({ schema }) => referring(schema, undefined)),
    definitions: Object.fromEntries(definitions),
  }
}

/** The schema with references in place of its defined parts, save itself. */
function referring(schema: unknown, itself: unknown): unknown {
  const name = schema === itself ? undefined : DEFINITIONS.get(schema)
  if (name !== undefined) return { $ref: `#/definitions/${name}` }
  if (Array.isArray(schema)) return schema.map((one: unknown) => referring(one, itself))
  if (!isObject(schema)) return schema
  return Object.fromEntries(Object.entries(schema).map(([member, value]) => [member, referring(value, itself)]))
}
