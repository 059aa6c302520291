import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sentence, TrustspecError } from '../../model/errors.ts'

/** A JSON value, to be changed at any depth. */
// eslint-disable-next-line typescript/no-explicit-any -- tests break documents in ways that no type permits
type Loose = any

/** Files of a project by path; a value that is no text becomes JSON. */
export type ProjectFiles = Record<string, Loose>

const RUNTIME = '$import(@zuplo/runtime)'

/** A policy of the gateway's own. */
export function policy(name: string, type: string, exported: string, options: object = {}): Loose {
  return { name, policyType: type, handler: { export: exported, module: RUNTIME, options } }
}

/** A project that starts: one route of each handler, policies of its own and of the gateway. */
export function goodProject(): ProjectFiles {
  return {
    'zuplo.jsonc': '{\n  // comments are permitted here\n  "version": 1, /* and here */\n}\n',
    '.env': 'ORIGIN_URL=https://origin.example.com\n',
    'config/routes.oas.json': {
      openapi: '3.1.0',
      info: { title: 'Orders', version: '1' },
      paths: {
        '/orders': {
          get: {
            'x-zuplo-route': {
              corsPolicy: 'apps',
              handler: { export: 'urlForwardHandler', module: RUNTIME, options: { baseUrl: '${env.ORIGIN_URL}' } },
              policies: { inbound: ['key', 'own', 'token'] },
            },
          },
        },
        '/orders/{id}': {
          get: {
            'x-zuplo-route': {
              handler: {
                export: 'urlRewriteHandler',
                module: RUNTIME,
                options: { rewritePattern: 'https://origin.example.com/v2/${params.id}' },
              },
            },
          },
        },
      },
    },
    'config/policies.json': {
      policies: [
        policy('key', 'api-key-inbound', 'ApiKeyInboundPolicy'),
        policy('limit', 'rate-limit-inbound', 'RateLimitInboundPolicy', {
          rateLimitBy: 'function',
          requestsAllowed: 5,
          timeWindowMinutes: 1,
          identifier: { module: '$import(./modules/own)', export: 'callerOf' },
        }),
        policy('token', 'upstream-zuplo-jwt-auth-inbound', 'UpstreamZuploJwtAuthInboundPolicy'),
        {
          name: 'own',
          policyType: 'custom-code-inbound',
          handler: { export: 'default', module: '$import(./modules/own)' },
        },
      ],
      corsPolicies: [{ name: 'apps', allowedOrigins: ['https://app.example.com'] }],
    },
    'modules/zuplo.runtime.ts': `import { JwtServicePlugin, RuntimeExtensions } from '@zuplo/runtime'
export function runtimeInit(runtime: RuntimeExtensions) { runtime.addPlugin(new JwtServicePlugin()) }
`,
    'modules/own.ts': `export default (request: Request) => request
export const callerOf = () => ({ key: 'all' })
`,
  }
}

/** Writes a project into a folder of its own. */
export async function writeProject(files: ProjectFiles): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-project-'))
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name)
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content, undefined, 2))
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

/** Code and sentence of what a promise rejects with. */
export async function complaintOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'nothing is wrong'
  } catch (error) {
    if (error instanceof TrustspecError) return `${error.code}: ${sentence(error)}`
    throw error
  }
}
