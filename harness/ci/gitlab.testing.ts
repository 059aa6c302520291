import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { bash } from './composite.testing.ts'

/** A job of GitLab, as far as it is run here. */
export interface GitlabJob {
  readonly script: readonly string[]
  readonly variables?: Readonly<Record<string, string>>
  readonly artifacts?: { readonly paths?: readonly string[]; readonly reports?: { readonly junit?: string } }
}

/** Runs the lines of a job in one shell, as a GitLab runner does. */
export async function runJob(job: GitlabJob, cwd: string, env: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-gitlab-'))
  try {
    const script = path.join(folder, 'script')
    await writeFile(script, job.script.join('\n'))
    return await bash(script, cwd, { ...process.env, ...job.variables, ...env })
  } finally {
    await rm(folder, { recursive: true })
  }
}
