import path from 'node:path'
import type { OriginProfile } from '../../model/profile.ts'
import { bundledOrigin } from '../../targets/bundled.ts'
import { installPython } from '../../targets/install.ts'
import { startProcess } from '../../targets/process.ts'
import type { Reach, Target, TargetSettings } from '../../targets/target.ts'
import { ROUTE } from '../world.ts'

/** Longest wait for the first answer of an origin, in milliseconds. */
export const READY_MS = 30_000

/** An origin in Python. */
export interface Program {
  readonly folder: string
  /** Name in that folder. */
  readonly file: string
  /** Folder with the requirements.txt. */
  readonly requirements: string
  /** Port that stands in its code; default: it listens on PORT. */
  readonly port?: number
}

/** The program of a sample, or of a copy of one. */
export function sampleProgram(folder: string): Program {
  return { folder, file: 'app.py', requirements: folder }
}

/** The sample whose requirements and Dockerfile serve for what brings none along. */
export const SAMPLE = bundledOrigin('tornado-as-published').folder

/** Where one origin at a time runs. */
export interface Place extends AsyncDisposable {
  /** How it reaches servers of this machine; missing: on the loopback address. */
  readonly reach?: Reach
  /** Installs what the program needs, so that its start takes no time. */
  readonly prepare: (program: Program) => Promise<void>
  readonly start: (program: Program, profile: OriginProfile, settings: TargetSettings) => Promise<Target>
}

/** Makes a place: on this machine, or in a network of containers. */
export type Launcher = () => Promise<Place>

/** Starts origins as processes, in a virtual environment that is made on first use. */
export function processLauncher(busy: (line: string) => void): Launcher {
  return () =>
    Promise.resolve({
      async prepare({ requirements }) {
        await installPython(requirements, busy)
      },
      async start({ folder, file, requirements, port }, profile, settings) {
        const python = await installPython(requirements, busy)
        return await startProcess({
          command: `exec ${shellWord(python)} ${shellWord(path.join(folder, file))}`,
          cwd: folder,
          env: { PYTHONDONTWRITEBYTECODE: '1' },
          path: ROUTE,
          profile,
          settings: audienceFor(profile, settings),
          readyMs: READY_MS,
          ...(port === undefined ? {} : { port }),
        })
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    })
}

/** The settings with the audience that is declared. */
export function audienceFor(profile: OriginProfile, settings: TargetSettings): TargetSettings {
  return { ...settings, audience: profile.audience ?? settings.audience }
}

function shellWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
