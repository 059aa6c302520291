import { readFileSync } from 'node:fs'
import { TrustspecError } from '../model/errors.ts'
import type { OriginProfile } from '../model/profile.ts'
import { ALGORITHMS } from '../model/token.ts'
import { nearest } from '../model/nearest.ts'

type Check = (value: unknown) => string | undefined

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const text: Check = (value) => (isText(value) ? undefined : 'a text that is not empty')
const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'true or false')
const seconds: Check = (value) =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? undefined : 'seconds as a number, 0 or more'
const texts =
  (least: number): Check =>
  (value) =>
    Array.isArray(value) && value.length >= least && value.every(isText)
      ? undefined
      : `a list of ${least} texts or more`

const algorithms: Check = (value) =>
  Array.isArray(value) && value.length > 0 && value.every((name) => (ALGORITHMS as readonly unknown[]).includes(name))
    ? undefined
    : `a list of algorithms out of ${ALGORITHMS.join(', ')}`

const pathText: Check = (value) => (isText(value) && value.startsWith('/') ? undefined : 'a path that begins with /')

const pointer: Check = (value) => (isText(value) && value.startsWith('/') ? undefined : 'a JSON pointer such as "/sub"')

const routes: Check = (value) => {
  const isRoute = (route: unknown): boolean =>
    isObject(route) &&
    isText(route['path']) &&
    route['path'].startsWith('/') &&
    texts(1)(route['methods']) === undefined &&
    (route['scope'] === undefined || isText(route['scope'])) &&
    (route['once'] === undefined || typeof route['once'] === 'boolean') &&
    Object.keys(route).every((name) => ['path', 'methods', 'scope', 'once'].includes(name))
  return Array.isArray(value) && value.length > 0 && value.every(isRoute)
    ? undefined
    : 'a list of {"path": "/…", "methods": ["GET"], "scope"?: text, "once"?: true}'
}

const place: Check = (value) =>
  isObject(value) && isText(value['header']) && typeof value['scheme'] === 'string'
    ? undefined
    : '{"header": "Authorization", "scheme": "Bearer"}'

/** An object whose members, some of them required, pass their checks. */
const objectOf =
  (members: Readonly<Record<string, Check>>, required: readonly string[], form: string): Check =>
  (value) =>
    isObject(value) &&
    required.every((name) => value[name] !== undefined) &&
    Object.entries(value).every(
      ([name, member]) => Object.hasOwn(members, name) && members[name]?.(member) === undefined,
    )
      ? undefined
      : form

const apiKey = objectOf(
  {
    key: text,
    headers: (value) =>
      Array.isArray(value) &&
      value.every((one) => objectOf({ name: text, scheme: text }, ['name'], 'wrong')(one) === undefined)
        ? undefined
        : 'wrong',
    query: texts(0),
  },
  ['key'],
  '{"key": "…", "headers"?: [{"name": "X-API-Key", "scheme"?: "Bearer"}], "query"?: ["api_key"]}',
)

const sideEffect = objectOf(
  { path: pathText, counter: pathText, pointer },
  ['path', 'counter', 'pointer'],
  '{"path": "/transfers", "counter": "/transfers/count", "pointer": "/count"}',
)

const jwks = objectOf(
  {
    mode: (value) => (['static', 'discovery', 'per-kid', 'pinned'].includes(String(value)) ? undefined : 'wrong'),
    maxAgeSec: seconds,
    cooldownSec: seconds,
    timeoutMs: seconds,
    maxStaleSec: seconds,
    workers: (value) =>
      value === 'unbounded' || (Number.isInteger(value) && Number(value) >= 1) ? undefined : 'wrong',
    honoursCacheControl: flag,
  },
  [],
  '{"mode"?: "static", "discovery", "per-kid" or "pinned", "maxAgeSec"?, "cooldownSec"?, "timeoutMs"?, "maxStaleSec"?, "workers"?: 1 or more or "unbounded", "honoursCacheControl"?: true}',
)

const values: Check = (value) =>
  isObject(value) && Object.values(value).every((one) => ['string', 'number', 'boolean'].includes(typeof one))
    ? undefined
    : 'an object of texts, numbers and booleans'

const MEMBERS: Readonly<Record<keyof OriginProfile, Check>> = {
  algorithms,
  issuer: text,
  audience: (value) => (value === null ? undefined : text(value)),
  typ: text,
  requiredClaims: texts(1),
  leewaySec: seconds,
  maxLifetimeSec: seconds,
  maxTokenAgeSec: seconds,
  singleOrigin: flag,
  subjects: texts(2),
  knownSubjects: flag,
  marker: text,
  identityEcho: pointer,
  token: place,
  routes,
  publicRoutes: routes,
  identityHeaders: texts(1),
  corsPreflight: flag,
  apiKey,
  upgrade: pathText,
  sideEffect,
  jwks,
  latencyBudgetMs: seconds,
  claims: values,
  publicCache: flag,
  plainJwks: flag,
  padding: flag,
}

/** The profile in the value; ERR_PROFILE_INVALID names the first member that is wrong and what to write. */
export function parseProfile(value: unknown, where: string): OriginProfile {
  if (!isObject(value)) throw invalid(where, 'the whole', 'a JSON object')
  for (const [name, member] of Object.entries(value)) {
    if (name === '$schema') continue
    const check = Object.hasOwn(MEMBERS, name) ? MEMBERS[name as keyof OriginProfile] : undefined
    if (!check)
      throw invalid(where, name, `a known member; the nearest one is "${nearest(name, Object.keys(MEMBERS))}"`)
    const due = check(member)
    if (due !== undefined) throw invalid(where, name, due)
  }
  const { $schema: _, ...profile } = value
  return profile
}

/** Reads a profile from a JSON file. */
export function readProfile(file: string): OriginProfile {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new TrustspecError(
      'ERR_USAGE',
      'The profile cannot be read',
      { '--profile-file': file, instead: 'a file that exists and holds JSON' },
      { cause: error },
    )
  }
  return parseProfile(content, file)
}

function invalid(where: string, member: string, instead: string): TrustspecError {
  return new TrustspecError('ERR_PROFILE_INVALID', 'The profile is wrong', { where, member, instead })
}
