import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { request } from 'undici'

/** How a proxy that is not ours is started. */
export interface Started {
  readonly command: string
  readonly args: readonly string[]
  /** Value of Authorization that it asks for; undefined: any. */
  readonly authorization?: string
}

/** What a proxy is started with. */
export interface Ports {
  readonly folder: string
  readonly port: number
  readonly originPort: number
  /** A further port, for whoever wants one. */
  readonly sparePort: number
}

/** Whether a command is on the machine. */
export function has(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function written(folder: string, name: string, text: string): string {
  const file = path.join(folder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

/** nginx that answers by itself: the origin of the measurements. */
export function nginxOrigin(folder: string, port: number): Started {
  const body = JSON.stringify({ message: 'x'.repeat(113) })
  return nginx(
    folder,
    'origin',
    `server { listen 127.0.0.1:${port}; location / { default_type application/json; return 200 '${body}'; } }`,
  )
}

/** nginx with proxy_pass over connections that are kept. */
export function nginxProxy({ folder, port, originPort }: Ports): Started {
  return nginx(
    folder,
    'proxy',
    `upstream origin { server 127.0.0.1:${originPort}; keepalive 128; }
     server { listen 127.0.0.1:${port}; location / { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://origin; } }`,
  )
}

function nginx(folder: string, name: string, servers: string): Started {
  const own = path.join(folder, `nginx-${name}`)
  mkdirSync(own, { recursive: true })
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${own}/${kind};`)
  const file = written(
    own,
    'nginx.conf',
    `worker_processes 1; daemon off; pid ${own}/pid; error_log ${own}/error.log;
     events { worker_connections 4096; }
     http { access_log off; keepalive_requests 100000000; ${paths.join(' ')} ${servers} }\n`,
  )
  return { command: 'nginx', args: ['-p', own, '-c', file] }
}

export function haproxy({ folder, port, originPort }: Ports): Started {
  const file = written(
    folder,
    'haproxy.cfg',
    `global\n  nbthread 1\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n  option http-keep-alive\nfrontend front\n  bind 127.0.0.1:${port}\n  default_backend origin\nbackend origin\n  http-reuse always\n  server origin 127.0.0.1:${originPort}\n`,
  )
  return { command: 'haproxy', args: ['-f', file] }
}

export function caddy({ folder, port, originPort }: Ports): Started {
  const text = `{\n  admin off\n  auto_https off\n  log {\n    level ERROR\n  }\n}\nhttp://127.0.0.1:${port} {\n  reverse_proxy 127.0.0.1:${originPort}\n}\n`
  return { command: 'caddy', args: ['run', '--config', written(folder, 'Caddyfile', text), '--adapter', 'caddyfile'] }
}

const EXPRESS_GATEWAY = 'express-gateway@1.16.11'

/** Installs Express Gateway into the cache, once, and configures it with key-auth and a limit. */
export function expressGateway({ folder, port, originPort, sparePort }: Ports): Started {
  const home = path.join(homedir(), '.cache', 'trustspec', 'bench', 'express-gateway')
  const main = path.join(home, 'node_modules', 'express-gateway')
  if (!existsSync(main)) {
    written(home, 'package.json', '{"private": true}\n')
    console.log(`Installing ${EXPRESS_GATEWAY} (first use)`)
    execFileSync('npm', ['install', EXPRESS_GATEWAY, '--no-audit', '--no-fund'], { cwd: home, stdio: 'ignore' })
  }
  const config = path.join(folder, 'express-gateway')
  execFileSync('cp', ['-r', path.join(main, 'lib', 'config'), config])
  written(
    config,
    'gateway.config.yml',
    `http:
  port: ${port}
  hostname: 127.0.0.1
admin:
  port: ${sparePort}
  host: 127.0.0.1
apiEndpoints:
  api:
    paths: '/*'
serviceEndpoints:
  origin:
    url: 'http://127.0.0.1:${originPort}'
policies: [key-auth, rate-limit, proxy]
pipelines:
  default:
    apiEndpoints: [api]
    policies:
      - key-auth:
      - rate-limit:
        - action: { max: 1000000000, windowMs: 60000, delayMs: 0, delayAfter: 0 }
      - proxy:
        - action: { serviceEndpoint: origin }
`,
  )
  const start = written(
    config,
    'start.cjs',
    `require(${JSON.stringify(main)})().load(${JSON.stringify(config)}).run()\n`,
  )
  return { command: process.execPath, args: [start] }
}

/** Makes so many users with a key each by the admin API of Express Gateway; the values of Authorization. */
export async function expressGatewayKeys(sparePort: number, users: number): Promise<readonly string[]> {
  const post = async (at: string, body: object): Promise<Record<string, string>> => {
    const answer = await request(`http://127.0.0.1:${sparePort}/${at}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return (await answer.body.json()) as Record<string, string>
  }
  const values: string[] = []
  for (let number = 0; number < users; number += 1) {
    const user = await post('users', { username: `bench-${number}`, firstname: 'Bench', lastname: 'Mark' })
    const credential = await post('credentials', { consumerId: user['id'], type: 'key-auth', credential: {} })
    values.push(`apiKey ${credential['keyId']}:${credential['keySecret']}`)
  }
  return values
}
