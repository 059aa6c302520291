import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { textOf, usage } from './args.ts'
import type { Given } from './args.ts'
import type { Asked } from './subject.ts'

/**
 * The file that findings are shown at: of --source, else the configuration or the profile, else what describes the
 * bundled target, else the workflow of GitHub that the run is part of. Relative to the root of the repository, with
 * slashes. Undefined where none of them lies in it; ERR_USAGE for a --source that does not.
 */
export async function sourceOf(
  given: Given,
  { file: config }: Pick<Asked, 'file'>,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<string | undefined> {
  const root = rootOf(cwd)
  const named = textOf(given, 'source')
  if (named !== undefined) {
    const file = path.resolve(cwd, named)
    const inside = statSync(file, { throwIfNoEntry: false })?.isFile() === true ? within(root, file) : undefined
    if (inside !== undefined) return inside
    throw usage('Findings cannot be shown at this file', {
      '--source': named,
      instead: 'a file that exists in the repository of the run',
    })
  }
  const own = config ?? textOf(given, 'profile-file') ?? (await bundledFile(given)) ?? workflowFile(env, root)
  return own === undefined ? undefined : within(root, path.resolve(cwd, own))
}

/** The nearest folder above that is a work tree of git, or the folder itself. */
function rootOf(cwd: string): string {
  for (let folder = cwd; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, '.git'))) return folder
    if (folder === path.dirname(folder)) return cwd
  }
}

function within(root: string, file: string): string | undefined {
  const relative = path.relative(root, file)
  const isOutside = relative === '' || path.isAbsolute(relative) || relative.split(path.sep)[0] === '..'
  return isOutside ? undefined : relative.split(path.sep).join('/')
}

async function bundledFile(given: Given): Promise<string | undefined> {
  const origin = textOf(given, 'origin')
  const gateway = textOf(given, 'gateway')
  if (origin !== undefined) {
    const { bundledOrigins } = await import('../targets/bundled.ts')
    const folder = bundledOrigins().find(({ name }) => name === origin)?.folder
    return folder === undefined ? undefined : path.join(folder, 'origin.json')
  }
  if (gateway !== undefined) {
    const { gatewayFixtures } = await import('../targets/gateway-fixtures.ts')
    const folder = gatewayFixtures().find(({ name }) => name === gateway)?.folder
    return folder === undefined ? undefined : path.join(folder, 'gateway.json')
  }
  return undefined
}

/** `OWNER/NAME/.github/workflows/ci.yml@refs/heads/main` names the workflow that runs. */
function workflowFile({ GITHUB_WORKFLOW_REF: ref = '' }: NodeJS.ProcessEnv, root: string): string | undefined {
  const inside = /^[^/]+\/[^/]+\/([^@]+)@/u.exec(ref)?.[1]
  return inside !== undefined && existsSync(path.join(root, inside)) ? path.join(root, inside) : undefined
}
