import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { bundledOrigins } from './bundled.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const FOLDERS = ['.', ...bundledOrigins().map(({ folder }) => path.relative(ROOT, folder))]

/** Instructions of a Dockerfile, with their continuation lines. */
function instructions(folder: string): readonly string[] {
  const text = readFileSync(path.join(ROOT, folder, 'Dockerfile'), 'utf8')
  return text
    .replaceAll(/^#.*\n/gmu, '')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line !== '')
}

test.each(FOLDERS)('the image of %s is pinned, without root, and says whether it is well', (folder) => {
  const lines = instructions(folder)
  const stages = lines.flatMap((line) => /^FROM \S+ AS (\S+)$/u.exec(line)?.[1] ?? [])
  const bases = lines.flatMap((line) => /^FROM (\S+)/u.exec(line)?.[1] ?? []).filter((base) => !stages.includes(base))

  // Distroless images have no versions: their tags name the system and the user.
  for (const base of bases)
    expect(base).toMatch(
      /^(?:\w+:\d+\.\d[\w.-]*-slim[\w-]*|\w+:[\d.]+-\w+(?:-slim)?|gcr\.io\/distroless\/[\w-]+:nonroot)$/u,
    )
  const last = lines.slice(lines.findLastIndex((line) => /^FROM (?!trustspec)/u.test(line)))
  const isOther = last.some((line) => /^USER (?:node|[1-9]\d*)/u.test(line)) || last[0]?.endsWith(':nonroot')
  expect(isOther).toBe(true)
  expect(lines.some((line) => line.startsWith('HEALTHCHECK '))).toBe(true)
  expect(existsSync(path.join(ROOT, folder, '.dockerignore'))).toBe(true)
})

test('the stand-ins of continuous integration are for the images that are used', () => {
  const script = readFileSync(path.join(ROOT, '.ci/containers/stand-ins.sh'), 'utf8')
  const composed = readFileSync(path.join(ROOT, 'docker-compose.test.yml'), 'utf8')
  const made = [...script.matchAll(/^\s*step (\S+) /gmu)].map(([, image = '']) => image)
  const built = FOLDERS.flatMap(instructions).flatMap((line) => /^FROM (\S+:\S+)/u.exec(line)?.[1] ?? [])
  const pulled = [...composed.matchAll(/image: ([\w/.-]+:[\d.]+)$/gmu)].map(([, image = '']) => image)

  expect([...new Set([...built, ...pulled, 'debian:trixie-slim'])].toSorted()).toEqual(made.toSorted())
})

test('what is built is what is committed: no image holds more than its list', () => {
  for (const folder of FOLDERS) {
    expect(readFileSync(path.join(ROOT, folder, '.dockerignore'), 'utf8')).toMatch(/^\*\n/u)
  }
  expect(
    readdirSync(path.join(ROOT, 'origins')).filter((name) =>
      existsSync(path.join(ROOT, 'origins', name, 'origin.json')),
    ),
  ).toHaveLength(FOLDERS.length - 1)
})
