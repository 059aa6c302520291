import type { OriginProfile } from '../../model/profile.ts'
import { installPython } from '../../targets/install.ts'
import { startProcess } from '../../targets/process.ts'
import type { Reach, Target, TargetSettings } from '../../targets/target.ts'
import { ROUTE } from '../world.ts'

/** Longest wait for the first answer of an origin, in milliseconds. */
const READY_MS = 30_000

/** Where one origin at a time runs. */
export interface Place extends AsyncDisposable {
  /** How it reaches servers of this machine; missing: on the loopback address. */
  readonly reach?: Reach
  /** Starts what is in the folder: app.py, with requirements.txt, and a Dockerfile for containers. */
  readonly start: (folder: string, profile: OriginProfile, settings: TargetSettings) => Promise<Target>
}

/** Makes a place: on this machine, or in a network of containers. */
export type Launcher = () => Promise<Place>

/** Starts origins as processes, in a virtual environment that is made on first use. */
export function processLauncher(busy: (line: string) => void): Launcher {
  return () =>
    Promise.resolve({
      async start(folder, profile, settings) {
        const python = await installPython(folder, busy)
        return await startProcess({
          command: `exec ${JSON.stringify(python)} app.py`,
          cwd: folder,
          env: { PYTHONDONTWRITEBYTECODE: '1' },
          path: ROUTE,
          profile,
          settings: { ...settings, audience: profile.audience ?? settings.audience },
          readyMs: READY_MS,
        })
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    })
}
