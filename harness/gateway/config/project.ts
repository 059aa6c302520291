import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import type { PolicyKind } from '../policy.ts'
import { POLICY_KINDS } from '../policies/registry.ts'
import type { GatewayProject, RouteSettings } from '../settings.ts'
import { ownModules } from './modules.ts'
import { policiesAt } from './policies.ts'
import { routesAt } from './routes.ts'
import { readJson } from './source.ts'
import { environmentOf } from './variables.ts'
import type { Environment } from './variables.ts'
import { objectAt, within, wrong } from './wrong.ts'

const POLICIES = 'config/policies.json'

const PROJECT = 'zuplo.jsonc'

const PROJECT_MEMBERS = [
  'version',
  'compatibilityDate',
  'projectType',
  'allowDuplicateRoutes',
  'allowHostHeaderOverride',
]

/** Reads a gateway project; ERR_GATEWAY_PROJECT names the first thing that is wrong, where, and what to write instead. */
export async function loadProject(
  folder: string,
  outside: Environment,
  kinds: readonly PolicyKind[] = POLICY_KINDS,
): Promise<GatewayProject> {
  const environment = environmentOf(folder, outside)
  const { allowDuplicateRoutes } = projectAt(folder)
  const files = documentsIn(folder)
  const modules = ownModules(folder)
  const jwtService = await modules.jwtService()
  const policies = await policiesAt(readJson(folder, POLICIES), POLICIES, { kinds, environment, modules })
  const means = { policies, environment, hasTokens: jwtService !== undefined }
  const routes = files.flatMap((file) => routesAt(readJson(folder, file), file, means))
  if (!allowDuplicateRoutes) refuseDuplicates(routes, files[0] ?? '')
  const used = new Set(routes.flatMap(({ inbound }) => inbound))
  return {
    routes,
    policies: [...policies.policies.values()].filter(({ name }) => used.has(name)),
    jwtService,
    own: modules.loaded,
  }
}

/** The OpenAPI documents of the project, in alphabetical order. */
function documentsIn(folder: string): readonly string[] {
  const config = path.join(folder, 'config')
  const names = existsSync(config) ? readdirSync(config).filter((name) => name.endsWith('.oas.json')) : []
  if (names.length > 0) return names.toSorted().map((name) => `config/${name}`)
  throw wrong('The project has no routes', { file: 'config', at: '' }, { instead: 'config/routes.oas.json' })
}

function projectAt(folder: string): { readonly allowDuplicateRoutes: boolean } {
  if (!existsSync(path.join(folder, PROJECT))) return { allowDuplicateRoutes: false }
  const place = { file: PROJECT, at: '' }
  const members = objectAt(readJson(folder, PROJECT, true), place, PROJECT_MEMBERS)
  if (members['version'] !== undefined && members['version'] !== 1) {
    throw wrong('The version of the project is not known', within(place, 'version'), {
      given: JSON.stringify(members['version']),
      instead: '1',
    })
  }
  if (members['allowHostHeaderOverride'] === true) {
    throw wrong('The Host of the caller never goes to an origin', within(place, 'allowHostHeaderOverride'), {
      given: 'true',
      instead: 'false, or leave it out',
    })
  }
  return { allowDuplicateRoutes: members['allowDuplicateRoutes'] === true }
}

function refuseDuplicates(routes: readonly RouteSettings[], file: string): void {
  const seen = new Set<string>()
  for (const { where, path: at } of routes) {
    const id = `${at.mode} ${where}`
    if (seen.has(id)) {
      throw wrong(
        'Two routes have the same method and path',
        { file, at: where },
        {
          instead: '"allowDuplicateRoutes": true in zuplo.jsonc, if the first one is meant to win',
        },
      )
    }
    seen.add(id)
  }
}
