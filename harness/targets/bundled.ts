import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { TrustspecError } from '../model/errors.ts'
import { packageFile } from '../model/files.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { ExpectedFinding } from '../model/result.ts'
import { workingCopy } from './cache.ts'
import { installNode, installPython } from './install.ts'
import { installGo } from './install-go.ts'
import { startProcess } from './process.ts'
import type { Target, TargetSettings } from './target.ts'

/** A sample origin as its origin.json describes it. */
export interface BundledOrigin {
  readonly name: string
  readonly folder: string
  readonly description: string
  readonly start: {
    readonly runtime: 'python' | 'node' | 'go'
    /** `{python}` and `{node}` stand for the runtime, `{go}` for the program that was built; the placeholders of processes are filled in too. */
    readonly command: string
    readonly path: string
    readonly env?: Readonly<Record<string, string>>
  }
  readonly profile: OriginProfile
  readonly expected: readonly ExpectedFinding[]
}

const FOLDER = fileURLToPath(packageFile('origins/'))

/** Path of what runs the sample, and the folder that it runs in. */
interface Installed {
  readonly runtime: string
  readonly folder: string
}

/** Longest wait for the first answer of a sample, in milliseconds. */
const READY_MS = 30_000

/** The sample origins, by name. */
export function bundledOrigins(): readonly BundledOrigin[] {
  return readdirSync(FOLDER)
    .filter((name) => existsSync(path.join(FOLDER, name, 'origin.json')))
    .toSorted()
    .map(readOrigin)
}

function readOrigin(name: string): BundledOrigin {
  const folder = path.join(FOLDER, name)
  const described = JSON.parse(readFileSync(path.join(folder, 'origin.json'), 'utf8')) as Omit<
    BundledOrigin,
    'name' | 'folder'
  >
  return { ...described, name, folder }
}

/** The sample of that name; ERR_USAGE when there is none. */
export function bundledOrigin(name: string): BundledOrigin {
  const origins = bundledOrigins()
  const origin = origins.find((candidate) => candidate.name === name)
  if (!origin) {
    throw new TrustspecError('ERR_USAGE', 'There is no such origin', {
      flag: '--origin',
      given: name,
      instead: origins.map((candidate) => candidate.name).join(', '),
    })
  }
  return origin
}

/** Installs what the sample needs, the first time. ERR_RUNTIME_MISSING where its runtime is not there. */
export async function installBundled(name: string, onProgress: (line: string) => void): Promise<Installed> {
  const { folder, start } = bundledOrigin(name)
  if (start.runtime === 'python') return { runtime: await installPython(folder, onProgress), folder }
  if (start.runtime === 'go') return { runtime: await installGo(folder, onProgress), folder }
  const copy = await workingCopy(folder)
  await installNode(copy, onProgress)
  return { runtime: process.execPath, folder: copy }
}

/** Installs what the sample needs, the first time, and starts it; `onProgress` is told what takes long. */
export async function startBundled(
  name: string,
  settings: TargetSettings,
  onProgress: (line: string) => void,
): Promise<Target> {
  const { start, profile, expected } = bundledOrigin(name)
  const { runtime, folder } = await installBundled(name, onProgress)
  const audience = profile.audience ?? settings.audience
  return await startProcess({
    command: `exec ${start.command.replaceAll(/\{(?:python|node|go)\}/gu, JSON.stringify(runtime))}`,
    cwd: folder,
    env: start.env ?? {},
    path: start.path,
    profile,
    settings: { ...settings, audience },
    name,
    expected,
    readyMs: READY_MS,
  })
}
