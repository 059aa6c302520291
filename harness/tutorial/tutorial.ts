import path from 'node:path'
import { startOpenOrigin } from './open-origin.ts'
import type { TutorialOrigin } from './origins.ts'
import { assertUnused, makeProject } from './project.ts'
import type { Stage } from './stage.ts'
import { callThroughGateway } from './steps/call.ts'
import { requireKeys } from './steps/keys.ts'
import { keepRunning } from './steps/keep.ts'
import { leakKey } from './steps/leak.ts'
import { secureOrigin } from './steps/origin.ts'
import { makeRoute } from './steps/route.ts'
import { attachToken, registerPlugin } from './steps/token.ts'
import { ownCommand } from './steps/tour.ts'
import type { Tour } from './steps/tour.ts'
import { startWorld } from './world.ts'
import type { World, WorldOptions } from './world.ts'

/** What the tutorial is about, and what comes after its five steps. */
export interface TutorialOptions extends Pick<WorldOptions, 'jwksPlace'> {
  /** Folder of the gateway project; it must not hold anything yet. */
  readonly project: string
  readonly origin: TutorialOrigin
  /**
   * What follows step 5. It finds the project as the page leaves it: keys are required, the plugin is registered with
   * its defaults, nothing attaches a token; the origin of step 4 runs.
   */
  readonly afterwards: (world: World, stage: Stage) => Promise<void>
  /** Leaves everything running at the end, until the signal. */
  readonly keep: boolean
  readonly signal: AbortSignal
}

/** Takes a reader through the page; whatever it started has ended when this settles, save for the project folder. */
export async function runTutorial(stage: Stage, options: TutorialOptions): Promise<void> {
  const { origin, afterwards, keep, signal, jwksPlace } = options
  const project = path.resolve(options.project)
  assertUnused(project)
  // Before anything is made, so that a reader who lacks a runtime is not sent back from the fourth step.
  await origin.prepare()
  await makeProject(project)
  await using world = await startWorld({ project, ...(jwksPlace ? { jwksPlace } : {}) })
  await world.startOrigin(startOpenOrigin)
  const tour: Tour = { world, stage, origin, shown: shownAs(project), signal }
  await Promise.race([tell(tour, afterwards, keep), whenAborted(signal)])
  if (keep) await keepRunning(tour)
}

const STEPS = [makeRoute, requireKeys, leakKey, registerPlugin, attachToken, secureOrigin, callThroughGateway]

async function tell(tour: Tour, afterwards: TutorialOptions['afterwards'], keep: boolean): Promise<void> {
  const { world, stage } = tour
  introduce(tour)
  for (const step of STEPS) {
    await step(tour)
    await stage.pause()
  }
  await afterwards(world, stage)
  if (!keep) leave(tour)
}

function introduce({ stage, origin: { title } }: Tour): void {
  stage.say(
    `This is the published tutorial "Secure Your ${title} API with API Keys", done on this machine: a caller sends an ` +
      'API key to a gateway, and the gateway forwards the request to your API with a short-lived JWT that it signed. ' +
      'The gateway is the reference gateway of trustspec, which reads projects as the documented one does. Nothing ' +
      'leaves this machine.',
  )
  stage.say(
    'After each step you see what travelled: the request and the answer of every hop, with keys and tokens shortened ' +
      'and the claims decoded.',
  )
}

/** The folder as a reader who is here would write it. */
function shownAs(project: string): string {
  const relative = path.relative(process.cwd(), project)
  return relative === '' || relative.startsWith('..') ? project : relative
}

function leave({ stage, shown }: Tour): void {
  stage.heading('What is left')
  stage.say(
    `The gateway project stays in ${shown}, for you to edit. Everything else ends now. With the port of your API in ` +
      'its .env, this runs the gateway over it once more:',
  )
  stage.command(ownCommand('gateway', '--project', shown, '--port', '8080'))
}

/** Rejects on Ctrl-C, whatever a step is waiting for. */
function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error)
    }
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
  })
}
