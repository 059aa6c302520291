import { nearest } from '../../model/nearest.ts'
import type { PolicyKind } from '../policy.ts'
import { customCode } from '../policies/custom-code-inbound.ts'
import type { CorsPolicy, PolicySettings } from '../settings.ts'
import type { OwnModules } from './modules.ts'
import { importOf, RUNTIME, withEnvironment } from './variables.ts'
import type { Environment } from './variables.ts'
import { kindOf, objectAt, textAt, within, wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

/** What policies.json declares. */
export interface Policies {
  readonly policies: ReadonlyMap<string, PolicySettings>
  readonly cors: ReadonlyMap<string, CorsPolicy>
}

/** Reads policies.json. */
export async function policiesAt(
  value: unknown,
  file: string,
  means: { readonly kinds: readonly PolicyKind[]; readonly environment: Environment; readonly modules: OwnModules },
): Promise<Policies> {
  const place: Place = { file, at: '' }
  const { policies = [], corsPolicies = [] } = objectAt(value, place, ['policies', 'corsPolicies', '$schema'])
  const byName = new Map<string, PolicySettings>()
  for (const [at, policy] of listAt(policies, within(place, 'policies')).entries()) {
    const here = within(place, 'policies', at)
    const settings = await policyAt(policy, here, means)
    if (byName.has(settings.name)) {
      throw wrong('Two policies have the same name', within(here, 'name'), {
        given: settings.name,
        instead: 'a name of its own',
      })
    }
    byName.set(settings.name, settings)
  }
  const cors = new Map<string, CorsPolicy>()
  for (const [at, policy] of listAt(corsPolicies, within(place, 'corsPolicies')).entries()) {
    const one = corsAt(
      withEnvironment(policy, means.environment, within(place, 'corsPolicies', at)),
      within(place, 'corsPolicies', at),
    )
    cors.set(one.name, one)
  }
  return { policies: byName, cors }
}

async function policyAt(
  value: unknown,
  place: Place,
  { kinds, environment, modules }: Parameters<typeof policiesAt>[2],
): Promise<PolicySettings> {
  const { name, policyType, handler } = objectAt(value, place, ['name', 'policyType', 'handler'])
  const named = textAt(name, within(place, 'name'), 'the name by which routes use it')
  const types = [...kinds.map(({ type }) => type), customCode.type]
  const type = textAt(policyType, within(place, 'policyType'), types.join(', '))
  if (!types.includes(type)) {
    throw wrong('There is no such policy', within(place, 'policyType'), { given: type, instead: nearest(type, types) })
  }
  const at = within(place, 'handler')
  const { export: exported, module, options: raw = {} } = objectAt(handler, at, ['export', 'module', 'options'])
  const options = objectAt(withEnvironment(raw, environment, within(at, 'options')), within(at, 'options'))
  const from = importOf(module)
  if (type === customCode.type) {
    const what = textAt(exported, within(at, 'export'), 'the name of the exported function, or "default"')
    if (from === undefined || from === RUNTIME) {
      throw wrong('Custom code is a module of the project', within(at, 'module'), {
        given: typeof module === 'string' ? module : kindOf(module),
        instead: '$import(./modules/my-policy)',
      })
    }
    const kind = customCode.kindOf(await modules.functionOf(from, what, within(at, 'export')))
    return { name: named, kind, options }
  }
  const kind = kinds.find((one) => one.type === type)
  if (!kind) throw new TypeError('A type without a kind')
  if (from !== RUNTIME) {
    throw wrong('The module of this policy is the gateway itself', within(at, 'module'), {
      given: typeof module === 'string' ? module : kindOf(module),
      instead: `$import(${RUNTIME})`,
    })
  }
  if (exported !== kind.exported) {
    throw wrong('The export does not belong to the policyType', within(at, 'export'), {
      given: typeof exported === 'string' ? exported : kindOf(exported),
      instead: kind.exported,
    })
  }
  checkOptions(kind, options, within(at, 'options'))
  await modules.loadNamedIn(options, within(at, 'options'))
  return { name: named, kind, options }
}

function checkOptions({ options: table }: PolicyKind, options: Readonly<Record<string, unknown>>, place: Place): void {
  const names = Object.keys(table.known)
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(table.known, name) ? table.known[name] : undefined
    if (!check) {
      throw wrong('There is no such option', within(place, name), {
        given: name,
        instead: names.length === 0 ? 'no options' : nearest(name, names),
      })
    }
    const due = check(value)
    if (due !== undefined)
      throw wrong('The option is wrong', within(place, name), { given: kindOf(value), instead: due })
  }
  const missing = table.required?.find((name) => options[name] === undefined)
  if (missing !== undefined) {
    const due = table.known[missing]?.(undefined) ?? 'a value'
    throw wrong('An option is missing', place, { option: missing, instead: `"${missing}": ${due}` })
  }
}

function listAt(value: unknown, place: Place): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw wrong('This has to be a list', place, { given: kindOf(value), instead: 'a list' })
}

const CORS_MEMBERS = [
  'name',
  'allowedOrigins',
  'allowedMethods',
  'allowedHeaders',
  'exposeHeaders',
  'maxAge',
  'allowCredentials',
]

function corsAt(value: unknown, place: Place): CorsPolicy {
  const members = objectAt(value, place, CORS_MEMBERS)
  const { name, maxAge, allowCredentials = false } = members
  const allowedOrigins = textsAt(members['allowedOrigins'], within(place, 'allowedOrigins'))
  if (allowedOrigins.length === 0) {
    throw wrong('A CORS policy allows some origin', within(place, 'allowedOrigins'), {
      given: 'nothing',
      instead: '["https://app.example.com"]',
    })
  }
  if (allowCredentials === true && allowedOrigins.includes('*')) {
    throw wrong('Credentials are never for every origin', within(place, 'allowCredentials'), {
      given: 'true beside the origin *',
      instead: 'the origins by name',
    })
  }
  if (typeof allowCredentials !== 'boolean') {
    throw wrong('This has to be true or false', within(place, 'allowCredentials'), {
      given: kindOf(allowCredentials),
      instead: 'true',
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
    allowedOrigins,
    allowedMethods: textsAt(members['allowedMethods'], within(place, 'allowedMethods')).map((method) =>
      method.toUpperCase(),
    ),
    allowedHeaders: textsAt(members['allowedHeaders'], within(place, 'allowedHeaders')),
    exposeHeaders: textsAt(members['exposeHeaders'], within(place, 'exposeHeaders')),
    allowCredentials,
    ...(maxAge === undefined ? {} : { maxAgeSec: Number(maxAge) }),
  }
}

/** A list of texts, or one text with commas. */
function textsAt(value: unknown, place: Place): readonly string[] {
  if (value === undefined) return []
  if (typeof value === 'string') return value.split(',').map((part) => part.trim())
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw wrong('This has to be a list of texts', place, { given: kindOf(value), instead: '["…"]' })
}
