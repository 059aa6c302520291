import { SUITES } from '../../../suites/catalog.ts'
import { embeddedKeys } from '../../../fixtures/keys/keys.ts'
import type { OriginProfile } from '../../model/profile.ts'
import type { Report } from '../../model/result.ts'
import { runOrigin } from '../../runner/run.ts'
import { bundledOrigin } from '../../targets/bundled.ts'
import { installPython } from '../../targets/install.ts'
import { startProcess } from '../../targets/process.ts'

/** Longest wait for the first answer of an origin, in milliseconds. */
const READY_MS = 30_000

/** What is judged, and as what. */
export interface Judged {
  /** Holds app.py and requirements.txt. */
  readonly folder: string
  /** What it declares. */
  readonly profile: OriginProfile
  /** Full ids; default: all. */
  readonly cases?: readonly string[]
  readonly busy: (line: string) => void
  readonly signal: AbortSignal
}

/** What the suites say of an origin in a folder: it is started, and trusts the issuer of the run. */
export async function judgeFolder({ folder, profile, cases, busy, signal }: Judged): Promise<Report> {
  const python = await installPython(folder, busy)
  return await runOrigin({
    suites: SUITES,
    select: cases ? { cases } : {},
    start: (settings) =>
      startProcess({
        command: `exec ${JSON.stringify(python)} app.py`,
        cwd: folder,
        path: '/protected',
        profile,
        settings: { ...settings, audience: profile.audience ?? settings.audience },
        readyMs: READY_MS,
      }),
    control: { kind: 'issuer', keys: embeddedKeys(), port: 0 },
    profile: {},
    seed: 1,
    deadlineMs: 5_000,
    on: () => undefined,
    signal,
  })
}

/** The same of a sample as it is in the repository. */
export function judgeSample(name: string, given: Pick<Judged, 'busy' | 'signal' | 'cases'>): Promise<Report> {
  const { folder, profile } = bundledOrigin(name)
  return judgeFolder({ folder, profile, ...given })
}
