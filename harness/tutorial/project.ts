import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { TrustspecError } from '../model/errors.ts'

/** The folder of the project, where nothing else is said. */
export const DEFAULT_PROJECT = 'trustspec-tutorial'

/** Files of the project, from its folder. */
export const FILES = {
  document: 'openapi.json',
  routes: 'config/routes.oas.json',
  policies: 'config/policies.json',
  runtime: 'modules/zuplo.runtime.ts',
} as const

/** The block of step 3, as the page prints it. */
export const PRINTED_RUNTIME = `export function runtimeInit(runtime: RuntimeExtensions) {
  // Register the JWT Service Plugin
  runtime.addPlugin(new JwtServicePlugin());
}
`

/** The line that the page leaves out. */
export const MISSING_IMPORT = `import { JwtServicePlugin, RuntimeExtensions } from "@zuplo/runtime";
`

/** A policy as policies.json has it. */
export interface PolicyEntry {
  readonly name: string
  readonly policyType: string
  readonly handler: {
    readonly export: string
    readonly module: '$import(@zuplo/runtime)'
    readonly options: Readonly<Record<string, unknown>>
  }
}

/** The policy of step 2. */
export const API_KEY_POLICY: PolicyEntry = {
  name: 'api-key-inbound',
  policyType: 'api-key-inbound',
  handler: {
    export: 'ApiKeyInboundPolicy',
    module: '$import(@zuplo/runtime)',
    options: { allowUnauthenticatedRequests: false, cacheTtlSeconds: 60 },
  },
}

/** The policy that the page leaves out: with its defaults. */
export const JWT_POLICY: PolicyEntry = {
  name: 'upstream-zuplo-jwt-auth-inbound',
  policyType: 'upstream-zuplo-jwt-auth-inbound',
  handler: {
    export: 'UpstreamZuploJwtAuthInboundPolicy',
    module: '$import(@zuplo/runtime)',
    options: {},
  },
}

/** The API of the page, described as any tool would. */
const DOCUMENT = {
  openapi: '3.1.0',
  info: { title: 'My API', version: '1.0.0' },
  paths: {
    '/protected': {
      get: {
        summary: 'What only the gateway may fetch',
        operationId: 'protected',
        responses: { '200': { description: 'Access granted' } },
      },
    },
  },
}

/** The origin's own port on the page. */
const ENVIRONMENT = `ORIGIN_URL=http://127.0.0.1:8888
`

const SETTINGS = `{
  "version": 1,
  "compatibilityDate": "2026-03-01",
  "projectType": "managed-edge"
}
`

interface Operation {
  readonly 'x-zuplo-route'?: { readonly policies: { readonly inbound: readonly string[] } }
}

interface Routes {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** ERR_USAGE where the folder of the project holds anything. */
export function assertUnused(folder: string): void {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return
  throw new TrustspecError('ERR_USAGE', 'The folder of the project is there already, and may hold edits of yours', {
    folder,
    instead: '--project with another folder; or remove this one',
  })
}

/** Makes the project with one route for each operation of the document. */
export async function makeProject(folder: string): Promise<void> {
  const routes = changedOperations(DOCUMENT as Routes, (operation) => ({
    ...operation,
    'x-zuplo-route': {
      corsPolicy: 'none',
      // The text is the gateway's to fill in.
      handler: {
        export: 'urlForwardHandler',
        module: '$import(@zuplo/runtime)',
        options: { baseUrl: ['$', '{env.ORIGIN_URL}'].join('') },
      },
      policies: { inbound: [] },
    },
  }))
  const files: Readonly<Record<string, string>> = {
    'zuplo.jsonc': SETTINGS,
    '.env': ENVIRONMENT,
    [FILES.document]: jsonText(DOCUMENT),
    [FILES.routes]: jsonText(routes),
    [FILES.policies]: jsonText({ policies: [] }),
  }
  for (const [name, text] of Object.entries(files)) await writeIn(folder, name, text)
}

/** Adds the policy to the project and, behind those that are there, to every route. */
export async function addPolicy(folder: string, policy: PolicyEntry): Promise<void> {
  const { policies } = await readJson<{ readonly policies: readonly PolicyEntry[] }>(folder, FILES.policies)
  const others = policies.filter(({ name }) => name !== policy.name)
  await writeIn(folder, FILES.policies, jsonText({ policies: [...others, policy] }))
  await changeInbound(folder, (inbound) => (inbound.includes(policy.name) ? inbound : [...inbound, policy.name]))
}

/** Takes the policy out of the project and of every route. */
export async function removePolicy(folder: string, { name }: PolicyEntry): Promise<void> {
  const { policies } = await readJson<{ readonly policies: readonly PolicyEntry[] }>(folder, FILES.policies)
  await writeIn(folder, FILES.policies, jsonText({ policies: policies.filter((one) => one.name !== name) }))
  await changeInbound(folder, (inbound) => inbound.filter((one) => one !== name))
}

/** Writes a file of the project. */
export async function writeIn(folder: string, name: string, text: string): Promise<void> {
  const file = path.join(folder, name)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, text)
}

/** The text of a file of the project. */
export async function readIn(folder: string, name: string): Promise<string> {
  return await readFile(path.join(folder, name), 'utf8')
}

async function changeInbound(folder: string, change: (inbound: readonly string[]) => readonly string[]): Promise<void> {
  const routes = await readJson<Routes>(folder, FILES.routes)
  const changed = changedOperations(routes, (operation) => {
    const route = operation['x-zuplo-route']
    if (!route) return operation
    const policies = { ...route.policies, inbound: change(route.policies.inbound) }
    return { ...operation, 'x-zuplo-route': { ...route, policies } }
  })
  await writeIn(folder, FILES.routes, jsonText(changed))
}

async function readJson<T>(folder: string, name: string): Promise<T> {
  return JSON.parse(await readIn(folder, name)) as T
}

function changedOperations(document: Routes, change: (operation: Operation) => Operation): Routes {
  const paths = Object.entries(document.paths).map(([at, item]) => [
    at,
    Object.fromEntries(Object.entries(item).map(([method, operation]) => [method, change(operation)])),
  ])
  return { ...document, paths: Object.fromEntries(paths) as Routes['paths'] }
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
