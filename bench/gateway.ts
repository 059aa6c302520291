import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs, promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { caddy, expressGateway, expressGatewayKeys, haproxy, has, nginxOrigin, nginxProxy } from './proxies/others.ts'
import type { Ports, Started } from './proxies/others.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', multiple: true },
  },
})

/** Requests that are open at once, and requests in a second where the proxies are not saturated. */
const AT_ONCE = 64
const STEADY = 4_000

/** API keys that the load uses, where keys are asked for. */
const USED = 100

/** Processors: the load and the origin share one, the proxy under measurement has the other. */
const LOAD_CPU = '0'
const PROXY_CPU = '1'

const run = promisify(execFile)
const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-bench-'))
const children: ChildProcess[] = []

interface Target {
  readonly name: string
  readonly port: number
  readonly authorizations: readonly string[]
  readonly script: string
  readonly child: ChildProcess
}

interface Sample {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function start(cpu: string, { command, args }: Started): ChildProcess {
  const child = spawn('taskset', ['-c', cpu, command, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  children.push(child)
  return child
}

/** Waits until the port answers, whatever it says. */
async function answering(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const isUp = await request(`http://127.0.0.1:${port}/protected`).then(
      async ({ body }) => {
        await body.dump()
        return true
      },
      () => false,
    )
    if (isUp) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`Nothing answers on port ${port}`)
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('No output')
  const line = once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>
  const ended = once(child, 'exit').then(() => {
    throw new Error('A proxy ended before it was ready')
  })
  const [first] = await Promise.race([line, ended])
  return first
}

async function target(
  name: string,
  port: number,
  child: ChildProcess,
  authorizations: readonly string[],
): Promise<Target> {
  await answering(port)
  const list = authorizations.map((value) => JSON.stringify(value)).join(', ')
  const script = path.join(folder, `${name.replaceAll(/\W/gu, '-')}.lua`)
  await writeFile(
    script,
    `local values = {${list}}\nlocal n = 0\nrequest = function()\n  n = n + 1\n  return wrk.format("GET", "/protected", {["Authorization"] = values[n % #values + 1]})\nend\n`,
  )
  return { name, port, authorizations, script, child }
}

const OTHERS: readonly (readonly [name: string, command: string, start: (ports: Ports) => Started])[] = [
  ['nginx proxy_pass', 'nginx', nginxProxy],
  ['HAProxy', 'haproxy', haproxy],
  ['Caddy', 'caddy', caddy],
  ['Express Gateway, key-auth', 'npm', expressGateway],
]

async function targets(originPort: number): Promise<readonly Target[]> {
  const found: Target[] = []
  const here = fileURLToPath(new URL('./proxies/', import.meta.url))
  const origin = `http://127.0.0.1:${originPort}`
  const ours = [
    ['reference gateway', ['reference.ts', origin, String(USED)]],
    ['reference gateway, 100,000 keys', ['reference.ts', origin, '100000']],
    ['bare Node proxy', ['bare.ts', origin]],
  ] as const
  const wanted = (name: string): boolean => values.only?.some((part) => name.includes(part)) ?? true
  for (const [name, [file, ...args]] of ours) {
    if (!wanted(name)) continue
    const port = await freePort()
    const child = start(PROXY_CPU, { command: process.execPath, args: [path.join(here, file), String(port), ...args] })
    const [, ...keys] = (await firstLine(child)).split(' ')
    found.push(await target(name, port, child, keys.length === 0 ? ['Bearer any'] : keys.map((key) => `Bearer ${key}`)))
  }
  for (const [name, command, begin] of OTHERS) {
    if (!wanted(name)) continue
    if (!has(command)) {
      console.log(`Not measured, because ${command} is missing: ${name}`)
      continue
    }
    const ports = { folder, port: await freePort(), originPort, sparePort: await freePort() }
    const child = start(PROXY_CPU, begin(ports))
    await answering(ports.port)
    const keys = begin === expressGateway ? await expressGatewayKeys(ports.sparePort, USED) : ['Bearer any']
    found.push(await target(name, ports.port, child, keys))
  }
  return found
}

async function saturated({ name, port, script }: Target, seconds: string): Promise<Sample> {
  const url = `http://127.0.0.1:${port}/protected`
  const args = ['-c', LOAD_CPU, 'wrk', '-t1', `-c${AT_ONCE}`, `-d${seconds}s`, '--latency', '-s', script, url]
  const { stdout } = await run('taskset', args)
  if (/Non-2xx/u.test(stdout)) throw new Error(`${name} refuses the load`)
  const ms = (percent: string): number => {
    const parts = new RegExp(String.raw`${percent}%\s+([\d.]+)(us|ms|s)`, 'u').exec(stdout)
    return Number(parts?.[1]) * ({ us: 0.001, ms: 1, s: 1_000 }[parts?.[2] ?? 'ms'] ?? 1)
  }
  return { perSecond: Number(/Requests\/sec:\s+([\d.]+)/u.exec(stdout)?.[1]), p50Ms: ms('50'), p99Ms: ms('99') }
}

async function steady({ port, authorizations }: Target): Promise<Sample> {
  const url = `http://127.0.0.1:${port}/protected`
  const perWorker = String(STEADY / 16)
  const header = `Authorization: ${authorizations[0]}`
  const { stdout } = await run('taskset', [
    '-c',
    LOAD_CPU,
    'hey',
    '-c',
    '16',
    '-q',
    perWorker,
    '-z',
    '3s',
    '-H',
    header,
    url,
  ])
  const ms = (percent: string): number =>
    Number(new RegExp(String.raw`${percent}% in ([\d.]+) secs`, 'u').exec(stdout)?.[1]) * 1_000
  return { perSecond: Number(/Requests\/sec:\s+([\d.]+)/u.exec(stdout)?.[1]), p50Ms: ms('50'), p99Ms: ms('99') }
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => [Math.random(), item] as const)
    .toSorted((one, other) => one[0] - other[0])
    .map(([, item]) => item)
}

async function residentMiB({ child }: Target): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/u.exec(status)?.[1]) / 1024
}

async function measure(found: readonly Target[]): Promise<void> {
  const samples = new Map(found.map(({ name }) => [name, [] as Sample[]]))
  for (const one of found) await saturated(one, '2')
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const one of shuffled(found)) samples.get(one.name)?.push(await saturated(one, values.seconds))
    console.log(`round ${round + 1} of ${values.rounds}`)
  }
  const base = samples.get('bare Node proxy') ?? []
  console.log(
    `\n${AT_ONCE} requests at once; ratios are medians of ${values.rounds} rounds, each against the same round`,
  )
  console.log('| target | requests/s | of the bare Node proxy | p50 ms | p99 ms |\n| --- | --- | --- | --- | --- |')
  for (const [name, own] of samples) {
    const ratios = own.map(({ perSecond }, at) => perSecond / (base[at]?.perSecond ?? Number.NaN))
    const cells = [
      own.map(({ perSecond }) => perSecond),
      ratios,
      own.map(({ p50Ms }) => p50Ms),
      own.map(({ p99Ms }) => p99Ms),
    ]
    const [perSecond = 0, ratio = 0, p50 = 0, p99 = 0] = cells.map(median)
    console.log(`| ${name} | ${Math.round(perSecond)} | ${ratio.toFixed(2)} | ${p50.toFixed(2)} | ${p99.toFixed(2)} |`)
  }
  if (!has('hey')) {
    console.log('\nNot measured at a fixed rate, because hey is missing')
    return
  }
  console.log(
    `\n${STEADY} requests/s, below saturation\n| target | requests/s | p50 ms | p99 ms |\n| --- | --- | --- | --- |`,
  )
  for (const one of found.filter(({ name }) => !name.startsWith('Express'))) {
    const { perSecond, p50Ms, p99Ms } = await steady(one)
    console.log(`| ${one.name} | ${Math.round(perSecond)} | ${p50Ms.toFixed(2)} | ${p99Ms.toFixed(2)} |`)
  }
}

/** Resident memory after each of four times 50,000 requests. */
async function memory(found: readonly Target[]): Promise<void> {
  const [one] = found.filter(({ name }) => name === 'reference gateway')
  if (!one) return
  const sizes: string[] = []
  for (let part = 0; part < 4; part += 1) {
    for (let requests = 0; requests < 50_000;) requests += (await saturated(one, '1')).perSecond
    sizes.push((await residentMiB(one)).toFixed(0))
  }
  console.log(`\nresident memory of the reference gateway after each 50,000 requests: ${sizes.join(', ')} MiB`)
}

if (!has('wrk') || !has('nginx')) {
  console.log('The measurements need wrk and nginx; on Debian: apt-get install wrk nginx hey haproxy caddy')
  process.exitCode = 2
} else {
  try {
    const originPort = await freePort()
    start(LOAD_CPU, nginxOrigin(folder, originPort))
    await answering(originPort)
    const found = await targets(originPort)
    await measure(found)
    await memory(found)
  } finally {
    for (const child of children) child.kill('SIGTERM')
    await rm(folder, { recursive: true, force: true })
  }
}
