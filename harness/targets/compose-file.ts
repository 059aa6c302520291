import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { TrustspecError } from '../model/errors.ts'
import type { Ground } from './ground.ts'

/** A service of a compose file. */
interface ServiceName {
  readonly file: string
  readonly service: string
}

/** What is read of a service as "docker compose config" prints it. */
export interface Service {
  readonly networks?: Readonly<Record<string, object | null>>
  readonly network_mode?: string
  readonly ports?: readonly { readonly target: number }[]
  readonly expose?: readonly string[]
}

/** The service as Compose reads the file; ERR_USAGE where that or the service is none. */
export async function readService({ id }: Ground, { file, service }: ServiceName): Promise<Service> {
  const args = ['compose', '--file', file, '--project-name', id, 'config', '--format', 'json']
  const found = await promisify(execFile)('docker', args, { maxBuffer: 2 ** 24 }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new TrustspecError('ERR_DOCKER_MISSING', 'The docker command is missing', {
        instead: 'install the command line of Docker with its plugin "compose"',
      })
    }
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
    throw new TrustspecError(
      'ERR_USAGE',
      'Docker Compose cannot read the file',
      {
        flag: '--compose',
        given: file,
        said: said.split('\n').at(-1)?.slice(0, 300) ?? '',
        instead: 'a file with which "docker compose config" works, version 2',
      },
      { cause: error },
    )
  })
  const { services = {} } = JSON.parse(found.stdout) as { readonly services?: Readonly<Record<string, Service>> }
  const one = services[service]
  if (one && one.network_mode === undefined) return one
  if (one) {
    throw new TrustspecError('ERR_USAGE', 'The service has no network of its own', {
      service,
      network_mode: one.network_mode ?? '',
      instead: 'a service without network_mode',
    })
  }
  throw new TrustspecError('ERR_USAGE', 'There is no such service', {
    flag: '--service',
    given: service,
    instead: Object.keys(services).join(', '),
  })
}

/** The one port that the service publishes or exposes; ERR_USAGE where there are none or several. */
export function portOf({ ports = [], expose = [] }: Service, service: string): number {
  const all = new Set([...ports.map(({ target }) => target), ...expose.map((text) => Number(text.split('/')[0]))])
  const [port] = all
  if (port !== undefined && all.size === 1) return port
  throw new TrustspecError('ERR_USAGE', 'The port of the origin is not known', {
    service,
    exposes: [...all].join(', ') || 'none',
    instead: '--container-port N',
  })
}
