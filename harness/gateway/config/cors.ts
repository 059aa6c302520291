import { headerName } from '../options.ts'
import type { OptionCheck } from '../options.ts'
import type { CorsPolicy } from '../settings.ts'
import { withEnvironment } from './variables.ts'
import type { Environment } from './variables.ts'
import { flagAt, kindOf, objectAt, shown, textAt, within, wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

/** Everything is allowed, save for credentials: an answer for everybody must not be one for somebody. */
const ANYTHING_GOES: CorsPolicy = {
  name: 'anything-goes',
  allowedOrigins: ['*'],
  allowedMethods: ['*'],
  allowedHeaders: ['*'],
  exposeHeaders: ['*'],
  maxAgeSec: 600,
  allowCredentials: false,
}

/** The policies that are there without being declared. */
export const BUILT_IN_CORS: ReadonlyMap<string, CorsPolicy | undefined> = new Map([
  ['none', undefined],
  [ANYTHING_GOES.name, ANYTHING_GOES],
])

const MEMBERS = [
  'name',
  'allowedOrigins',
  'allowedMethods',
  'allowedHeaders',
  'exposeHeaders',
  'maxAge',
  'allowCredentials',
]

/** `*`, or an origin as browsers write it, in the place of one host label a star. */
const origin: OptionCheck = (value) => {
  const text = String(value)
  if (text === '*') return undefined
  const filled = text.replace('://*.', '://star.')
  const isOrigin = !filled.includes('*') && URL.canParse(filled) && new URL(filled).origin === filled
  return isOrigin ? undefined : 'https://app.example.com, https://*.example.com or *'
}

const token: OptionCheck = (value) => (headerName(value) === undefined ? undefined : '["GET"]')

const field: OptionCheck = (value) => (value === '*' ? undefined : headerName(value))

/** A CORS policy of policies.json. */
export function corsAt(given: unknown, place: Place, environment: Environment): CorsPolicy {
  const members = objectAt(withEnvironment(given, environment, place), place, MEMBERS)
  const { name, maxAge } = members
  const list = (member: string, check: OptionCheck): readonly string[] =>
    textsAt(members[member], within(place, member), check)
  // Browsers write an origin in small letters.
  const allowedOrigins = list('allowedOrigins', (value) => origin(String(value).toLowerCase()))
  if (allowedOrigins.length === 0) {
    throw wrong('A CORS policy allows some origin', within(place, 'allowedOrigins'), {
      given: 'nothing',
      instead: '["https://app.example.com"]',
    })
  }
  const allowCredentials = flagAt(members['allowCredentials'], false, within(place, 'allowCredentials'))
  if (allowCredentials && allowedOrigins.includes('*')) {
    throw wrong('Credentials are never for every origin', within(place, 'allowCredentials'), {
      given: 'true beside the origin *',
      instead: 'the origins by name',
    })
  }
  if (maxAge !== undefined && !(Number.isSafeInteger(maxAge) && Number(maxAge) >= 0)) {
    throw wrong('This has to be a whole number of seconds', within(place, 'maxAge'), {
      given: kindOf(maxAge),
      instead: '600',
    })
  }
  return {
    name: textAt(name, within(place, 'name'), 'the name by which routes use it'),
    allowedOrigins: allowedOrigins.map((one) => one.toLowerCase()),
    allowedMethods: list('allowedMethods', token).map((method) => method.toUpperCase()),
    allowedHeaders: list('allowedHeaders', field),
    exposeHeaders: list('exposeHeaders', field),
    allowCredentials,
    ...(maxAge === undefined ? {} : { maxAgeSec: Number(maxAge) }),
  }
}

/** A list of texts, or one text with commas. */
function textsAt(value: unknown, place: Place, check: OptionCheck): readonly string[] {
  if (value === undefined || value === '') return []
  const list = typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value
  if (!Array.isArray(list)) {
    throw wrong('This has to be a list of texts', place, { given: kindOf(value), instead: '["…"]' })
  }
  for (const item of list) {
    const due = typeof item === 'string' && item !== '' ? check(item) : 'a list of texts'
    if (due !== undefined) throw wrong('This cannot stand here', place, { given: shown(item), instead: due })
  }
  return list as readonly string[]
}
