import { nearest } from '../../model/nearest.ts'
import type { PolicyKind } from '../policy.ts'
import { customCode } from '../policies/custom-code-inbound.ts'
import { RUNTIME } from '../runtime/loader.ts'
import type { CorsPolicy, PolicySettings } from '../settings.ts'
import { BUILT_IN_CORS, corsAt } from './cors.ts'
import type { OwnModules } from './modules.ts'
import { importOf, withEnvironment } from './variables.ts'
import type { Environment } from './variables.ts'
import { isObject, kindOf, listAt, objectAt, shown, textAt, within, wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

/** What policies.json declares. */
export interface Policies {
  readonly policies: ReadonlyMap<string, PolicySettings>
  /** The built-in ones too; undefined: no cross-origin answers. */
  readonly cors: ReadonlyMap<string, CorsPolicy | undefined>
}

/** What policies are read with. */
export interface PolicyMeans {
  readonly kinds: readonly PolicyKind[]
  readonly environment: Environment
  readonly modules: OwnModules
}

/** Reads policies.json. */
export async function policiesAt(value: unknown, place: Place, means: PolicyMeans): Promise<Policies> {
  const { policies = [], corsPolicies = [] } = objectAt(value, place, ['policies', 'corsPolicies', '$schema'])
  const byName = new Map<string, PolicySettings>()
  for (const [at, policy] of listAt(policies, within(place, 'policies')).entries()) {
    const here = within(place, 'policies', at)
    const settings = await policyAt(policy, here, means)
    refuseTwice(byName, settings.name, here)
    byName.set(settings.name, settings)
  }
  const cors = new Map(BUILT_IN_CORS)
  for (const [at, policy] of listAt(corsPolicies, within(place, 'corsPolicies')).entries()) {
    const here = within(place, 'corsPolicies', at)
    const settings = corsAt(policy, here, means.environment)
    refuseTwice(cors, settings.name, here)
    cors.set(settings.name, settings)
  }
  return { policies: byName, cors }
}

function refuseTwice(known: ReadonlyMap<string, unknown>, name: string, place: Place): void {
  if (!known.has(name)) return
  throw wrong('Two policies have the same name', within(place, 'name'), { given: name, instead: 'a name of its own' })
}

async function policyAt(value: unknown, place: Place, means: PolicyMeans): Promise<PolicySettings> {
  const { kinds, environment, modules } = means
  const { name, policyType, handler } = objectAt(value, place, ['name', 'policyType', 'handler'])
  const named = textAt(name, within(place, 'name'), 'the name by which routes use it')
  const types = [...kinds.map(({ type }) => type), customCode.type]
  const type = textAt(policyType, within(place, 'policyType'), types.join(', '))
  const at = within(place, 'handler')
  const { export: exported, module, options: raw = {} } = objectAt(handler, at, ['export', 'module', 'options'])
  const options = optionsAt(raw, within(at, 'options'), environment)
  if (type === customCode.type) {
    const what = textAt(exported, within(at, 'export'), 'the name of the exported function, or "default"')
    const from = importOf(module)
    if (from === undefined || from === RUNTIME) {
      throw wrong('Custom code is a module of the project', within(at, 'module'), {
        given: shown(module),
        instead: '$import(./modules/my-policy)',
      })
    }
    const run = await modules.functionOf(
      { name: from, place: within(at, 'module') },
      { name: what, place: within(at, 'export') },
    )
    const kind = customCode.kindOf(run)
    return { name: named, kind, options }
  }
  const kind = kinds.find((one) => one.type === type)
  if (!kind) {
    throw wrong('There is no such policy', within(place, 'policyType'), { given: type, instead: nearest(type, types) })
  }
  if (importOf(module) !== RUNTIME) {
    throw wrong('The module of this policy is the gateway itself', within(at, 'module'), {
      given: shown(module),
      instead: `$import(${RUNTIME})`,
    })
  }
  if (exported !== kind.exported) {
    throw wrong('The export does not belong to the policyType', within(at, 'export'), {
      given: shown(exported),
      instead: kind.exported,
    })
  }
  checkOptions(kind, options, within(at, 'options'))
  checkIdentifier(options, within(at, 'options', 'identifier', 'module'))
  await modules.loadNamedIn(options, within(at, 'options'))
  return { name: named, kind, options }
}

function optionsAt(raw: unknown, place: Place, environment: Environment): Readonly<Record<string, unknown>> {
  refuseTemplates(raw, place)
  return objectAt(withEnvironment(raw, environment, place), place)
}

/** A module that is not named as modules are would not be loaded, and its function be missed only at the start. */
function checkIdentifier({ identifier }: Readonly<Record<string, unknown>>, place: Place): void {
  const module = isObject(identifier) ? identifier['module'] : undefined
  if (module === undefined || importOf(module) !== undefined) return
  const instead = '$import(./modules/my-module)'
  throw wrong('The module of a function is one of the project', place, { given: shown(module), instead })
}

/** `${env.NAME}` is for the URLs of handlers: here it would be taken for the value itself, a secret perhaps. */
function refuseTemplates(value: unknown, place: Place): void {
  if (Array.isArray(value) || isObject(value)) {
    for (const [name, member] of Object.entries(value)) refuseTemplates(member, within(place, name))
    return
  }
  const [given, name = ''] = /\$\{env\.(\w+)\}/u.exec(String(value)) ?? []
  if (given === undefined) return
  throw wrong('Variables are written otherwise in policies', place, { given, instead: `$env(${name})` })
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
    if (due !== undefined) {
      throw wrong('The option is wrong', within(place, name), { given: kindOf(value), instead: due })
    }
  }
  const missing = table.required?.find((name) => options[name] === undefined)
  if (missing === undefined) return
  const due = table.known[missing]?.(undefined) ?? 'a value'
  throw wrong('An option is missing', place, { option: missing, instead: `"${missing}": ${due}` })
}
