import { readFileSync } from 'node:fs'
import path from 'node:path'
import { TrustspecError } from '../model/errors.ts'
import { bundledOrigin, installBundled, startBundled } from '../targets/bundled.ts'
import type { StartOrigin, World } from './world.ts'

/** The frameworks whose tutorials are there, and the sample that stands for each. */
export const FRAMEWORKS = {
  tornado: { title: 'Tornado', sample: 'tornado-as-published' },
  flask: { title: 'Flask', sample: 'python-flask-authlib' },
  fastapi: { title: 'FastAPI', sample: 'python-fastapi-pyjwt' },
  express: { title: 'Express', sample: 'node-express-jose' },
} as const

/** A framework that there is a tutorial for. */
export type Framework = keyof typeof FRAMEWORKS

/** The origin of step 4. */
export interface TutorialOrigin {
  /** What its framework is called. */
  readonly title: string
  /** Where its code is, as a reader finds it. */
  readonly place: string
  /** The part of its code that verifies. */
  readonly guard: { readonly text: string; readonly language: string }
  /** What is to be said of this code before it starts. */
  readonly remark: string
  /** Writes a line for each answer of 400 and above, as Tornado does. */
  readonly logsRefusals: boolean
  /** Installs what it needs; rejects with one sentence where that cannot be had. */
  readonly prepare: () => Promise<void>
  /** Tells the world what the origin has in its code, before it starts. */
  readonly join?: (world: World) => Promise<void>
  readonly start: StartOrigin
}

/** Where the part of each sample begins and ends that verifies; the end is the line behind it. */
const GUARDS: Readonly<Record<Framework, readonly [file: string, from: RegExp, to: RegExp]>> = {
  tornado: ['app.py', /^ISSUER = /mu, /^class ProtectedHandler/mu],
  flask: ['app.py', /^ISSUER = /mu, /^if __name__/mu],
  fastapi: ['app.py', /^ISSUER = /mu, /^if __name__/mu],
  express: ['app.js', /^const issuer = /mu, /^const app = /mu],
}

/** The sample of a framework. */
export function sampleOrigin(framework: Framework, busy: (line: string) => void): TutorialOrigin {
  const { title, sample } = FRAMEWORKS[framework]
  const [file, from, to] = GUARDS[framework]
  const { folder } = bundledOrigin(sample)
  const code = readFileSync(path.join(folder, file), 'utf8')
  const begin = code.search(from)
  const length = code.slice(begin).search(to)
  return {
    title,
    place: `origins/${sample}/${file}`,
    guard: {
      text: code.slice(begin, length < 0 ? undefined : begin + length).trim(),
      language: path.extname(file) === '.py' ? 'python' : 'js',
    },
    remark:
      framework === 'tornado'
        ? 'It is written anew, with the route, the answers and the faults of the page; a comment marks each fault. ' +
          'Issuer and port come from the environment, where the page has them in the code.'
        : `It is our own: the published tutorial for ${title} has the same five steps.`,
    logsRefusals: framework === 'tornado',
    async prepare() {
      try {
        await installBundled(sample, busy)
      } catch (error) {
        throw hinted(error)
      }
    },
    start: (settings) => startBundled(sample, settings, busy),
  }
}

/** Without the runtime there is one sample left that runs with what is there for certain. */
function hinted(error: unknown): unknown {
  if (!(error instanceof TrustspecError) || error.code !== 'ERR_RUNTIME_MISSING') return error
  const { instead, ...fields } = error.fields
  const either = `${instead}; or take --framework express, which needs nothing more`
  return new TrustspecError(error.code, error.message, { ...fields, instead: either }, { cause: error })
}
