import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { bundledOrigins } from '../harness/targets/bundled.ts'
import { startBundledContainer } from '../harness/targets/docker-origin.ts'
import { prepareGround } from '../harness/targets/ground.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, only: { type: 'string', multiple: true } },
})

const SETTINGS = { issuer: 'http://issuer', jwksUrl: 'http://issuer/jwks', audience: 'https://orders.example.com' }

function docker(...args: readonly string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8' }).trim()
}

function megabytes(image: string): string {
  return (Number(docker('image', 'inspect', '--format', '{{.Size}}', image)) / 1e6).toFixed(0)
}

/** The image that the last stage of a Dockerfile starts from. */
function baseOf(folder: string): string {
  const lines = readFileSync(path.join(folder, 'Dockerfile'), 'utf8').split('\n')
  return lines.findLast((line) => line.startsWith('FROM '))?.split(' ')[1] ?? ''
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

console.log('| image | size (MB) | of it, the base (MB) | first answer after (ms) | started again after (ms) |')
console.log('| --- | --- | --- | --- | --- |')
await using ground = await prepareGround(console.error)
for (const { name, folder } of bundledOrigins()) {
  if (values.only !== undefined && !values.only.includes(name)) continue
  const starts: number[] = []
  const restarts: number[] = []
  // The first round builds the image.
  for (let round = 0; round <= Number(values.rounds); round += 1) {
    let built = performance.now()
    const onProgress = (): void => undefined
    await using target = await startBundledContainer(ground, name, SETTINGS, onProgress, () => {
      built = performance.now()
    })
    const started = performance.now()
    await target.restart?.()
    if (round > 0) {
      starts.push(started - built)
      restarts.push(performance.now() - started)
    }
  }
  const sizes = `${megabytes(`trustspec/${name}:local`)} | ${megabytes(baseOf(folder))}`
  console.log(`| ${name} | ${sizes} | ${median(starts).toFixed(0)} | ${median(restarts).toFixed(0)} |`)
}
for (const target of ['gateway', 'conformance']) {
  const image = `trustspec/${target}:local`
  docker('build', '--quiet', '--target', target, '--tag', image, '.')
  console.log(`| ${target} | ${megabytes(image)} | ${megabytes('node:24.21.0-trixie-slim')} | | |`)
}
