import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'

/** Runs of each; the median counts. */
const ROUNDS = 5

const MAIN = fileURLToPath(new URL('../harness/cli/main.ts', import.meta.url))

/** Requests that bare undici has open at once, as the client of the harness. */
const AT_ONCE = 16

async function wholeRun(): Promise<{ readonly ms: number; readonly requests: number }> {
  const started = performance.now()
  const child = spawn(process.execPath, [MAIN, 'run'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const [code] = (await once(child, 'exit')) as [number]
  if (code !== 0) throw new Error(`The run against the embedded origin ended with ${code}`)
  return { ms: performance.now() - started, requests: Number(/(\d+) requests/u.exec(output)?.[1]) }
}

/** The floor: the same number of requests by bare undici to a server that does nothing. */
async function bare(requests: number): Promise<number> {
  const server = http.createServer((_, response) => response.end('{}'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const started = performance.now()
  let left = requests
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (; left > 0;) {
        left -= 1
        const { body } = await request(url)
        await body.dump()
      }
    }),
  )
  const ms = performance.now() - started
  server.close()
  server.closeAllConnections()
  return ms
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN
}

const runs: number[] = []
const floors: number[] = []
let requests = 0
for (let round = 0; round < ROUNDS; round += 1) {
  const run = await wholeRun()
  requests = run.requests
  runs.push(run.ms)
  floors.push(await bare(requests))
}
const [run, floor] = [median(runs), median(floors)]
console.log(`whole run, start-up included: ${Math.round(run)} ms (median of ${ROUNDS}; ${requests} requests)`)
console.log(`bare undici, as many requests: ${Math.round(floor)} ms`)
console.log(`ratio: ${(run / floor).toFixed(1)}`)
