import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { nearest } from '../../model/nearest.ts'
import type { PolicyKind } from '../policy.ts'
import { POLICY_KINDS } from '../policies/registry.ts'
import type { GatewayProject } from '../settings.ts'
import { ownModules } from './modules.ts'
import { shapeOf } from './paths.ts'
import { policiesAt } from './policies.ts'
import { routesAt } from './routes.ts'
import type { DeclaredRoute } from './routes.ts'
import { readJson } from './source.ts'
import { environmentOf } from './variables.ts'
import type { Environment } from './variables.ts'
import { flagAt, objectAt, shown, within, wrong } from './wrong.ts'
import type { Place } from './wrong.ts'

const POLICIES = 'config/policies.json'

const PROJECT: Place = { file: 'zuplo.jsonc', at: '' }

const PROJECT_TYPES = ['managed-edge', 'managed-dedicated', 'self-hosted']

/** Reads a gateway project; ERR_GATEWAY_PROJECT names the first thing that is wrong, where, and what to write instead. */
export async function loadProject(
  folder: string,
  outside: Environment,
  kinds: readonly PolicyKind[] = POLICY_KINDS,
): Promise<GatewayProject> {
  const allowsDuplicates = settingsOf(folder)
  const environment = environmentOf(folder, outside)
  const files = documentsIn(folder)
  const modules = ownModules(folder, environment)
  const jwtService = await modules.jwtService()
  const declared = readJson(folder, POLICIES)
  const policies = await policiesAt(declared, { file: POLICIES, at: '' }, { kinds, environment, modules })
  const means = { policies, environment, hasTokens: jwtService !== undefined }
  const all = files.flatMap((file) => routesAt(readJson(folder, file), file, means))
  if (!allowsDuplicates) refuseDuplicates(all)
  const routes = all.map(({ route }) => route)
  if (routes.length === 0) {
    throw wrong('The project has no routes', { file: files[0] ?? '', at: '/paths' }, { instead: 'at least one path' })
  }
  const used = new Set(routes.flatMap(({ inbound }) => inbound))
  return {
    routes,
    policies: [...policies.policies.values()].filter(({ name }) => used.has(name)),
    jwtService,
    own: modules.loaded,
  }
}

/** The OpenAPI documents of the project, in alphabetical order: routes match in this order. */
function documentsIn(folder: string): readonly string[] {
  const config = path.join(folder, 'config')
  const names = existsSync(config) ? readdirSync(config).filter((name) => name.endsWith('.oas.json')) : []
  if (names.length > 0) return names.toSorted().map((name) => `config/${name}`)
  const file = existsSync(folder) ? 'config' : folder
  throw wrong('The project has no routes', { file, at: '' }, { instead: 'a folder with config/routes.oas.json' })
}

/** Checks zuplo.jsonc, where there is one, and tells whether two routes may have the same method and path. */
function settingsOf(folder: string): boolean {
  if (!existsSync(path.join(folder, PROJECT.file))) return false
  const members = objectAt(readJson(folder, PROJECT.file, true), PROJECT, [
    'version',
    'compatibilityDate',
    'projectType',
    'allowDuplicateRoutes',
    'allowHostHeaderOverride',
    '$schema',
  ])
  const { version = 1, compatibilityDate: date, projectType: type } = members
  if (version !== 1) {
    throw wrong('The version of the project is not known', within(PROJECT, 'version'), {
      given: JSON.stringify(version),
      instead: '1',
    })
  }
  if (date !== undefined && !(typeof date === 'string' && /^\d{4}-\d{2}-\d{2}$/u.test(date))) {
    throw wrong('This has to be a date', within(PROJECT, 'compatibilityDate'), {
      given: shown(date),
      instead: '2026-03-01',
    })
  }
  if (type !== undefined && !PROJECT_TYPES.includes(type as string)) {
    throw wrong('There is no such type of project', within(PROJECT, 'projectType'), {
      given: shown(type),
      instead: nearest(shown(type), PROJECT_TYPES),
    })
  }
  const override = within(PROJECT, 'allowHostHeaderOverride')
  if (flagAt(members['allowHostHeaderOverride'], false, override)) {
    throw wrong('The Host of the caller never goes to an origin', override, { given: 'true', instead: 'false' })
  }
  return flagAt(members['allowDuplicateRoutes'], false, within(PROJECT, 'allowDuplicateRoutes'))
}

function refuseDuplicates(routes: readonly DeclaredRoute[]): void {
  const seen = new Map<string, Place>()
  for (const { route, place } of routes) {
    const id = `${route.method} ${shapeOf(route.path)}`
    const first = seen.get(id)
    if (first) {
      throw wrong('Two routes have the same method and path', place, {
        first: `${first.file} ${first.at}`,
        instead: '"allowDuplicateRoutes": true in zuplo.jsonc, if the first one is meant to win',
      })
    }
    seen.set(id, place)
  }
}
