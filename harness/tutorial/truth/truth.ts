import type { MeasuredValue } from '../../model/behaviour.ts'
import type { Report } from '../../model/result.ts'
import type { Verdict } from '../../model/verdict.ts'
import type { Stage } from '../stage.ts'
import type { World } from '../world.ts'
import { HIDDEN_FAULTS, PATH_FAULTS } from './faults.ts'
import type { HiddenFault, PathFault } from './faults.ts'
import { judgeGateway, judgeOrigin } from './judge.ts'
import { sampleProgram } from './launch.ts'
import type { Launcher, Place, Program } from './launch.ts'
import { loggedSince, withoutLibraries } from '../log.ts'
import { PATCHES } from './patches.ts'
import { AUDIENCE, mendProject } from './project-steps.ts'
import { tellVariants } from './variants.ts'
import { copyOf, mend } from './variant.ts'

/** How the truth is told. */
export interface TruthOptions {
  /** Makes places for the origins that are judged. */
  readonly launcher: Launcher
  /** Where the origin behind the gateway runs. */
  readonly place: Place
  readonly signal: AbortSignal
}

/** What each part needs: the world, the stage, and the copy of the origin that is mended step by step. */
interface Telling extends TruthOptions {
  readonly world: World
  readonly stage: Stage
  readonly program: Program
}

/**
 * Shows why step 5 fails, one fault at a time, mends each, and ends with the verdicts of the three variants. The
 * project of the world has the API key policy and the JWT service, as the page leaves it; afterwards it is mended.
 */
export async function tellTruth(world: World, stage: Stage, options: TruthOptions): Promise<void> {
  using variant = await copyOf('tornado-as-published')
  const telling: Telling = { world, stage, program: sampleProgram(variant.folder), ...options }
  const faults = PATH_FAULTS.length
  stage.heading('The truth about the page')
  stage.say(
    'The page ends with that call, and with the promise that a JWT is forwarded to the origin. It does not work: ' +
      `${faults} faults are in the way, one behind the other. Each is shown with what the origin logged, mended, and ` +
      'judged before and after by the conformance case that finds it.',
  )
  await stage.pause()
  await startOrigin(telling)
  for (const [at, fault] of PATH_FAULTS.entries()) await tellPathFault(telling, fault, `${at + 1} of ${faults}`)

  stage.heading('The call works')
  stage.travel(await world.call())
  stage.say(
    'The origin is now what origins/tornado-repaired is: the least change that lets a valid token in. What else it ' +
      'lets in, and what it does not survive, no call that works can show. The suites do.',
  )
  await stage.pause()
  for (const fault of HIDDEN_FAULTS) await tellHiddenFault(telling, fault)
  await tellVariants(stage, options)
}

/** Puts the origin, as it is in the folder now, behind the gateway. */
async function startOrigin({ world, place, program }: Telling): Promise<void> {
  await world.startOrigin((settings) => place.start(program, { audience: AUDIENCE }, settings))
}

async function tellPathFault(telling: Telling, fault: PathFault, count: string): Promise<void> {
  const { world, stage, program, signal } = telling
  signal.throwIfAborted()
  stage.heading(`Fault ${count}: ${fault.title}`)
  const mark = world.originLog().length
  stage.travel(await world.call())
  stage.show('What the origin logged', withoutLibraries(await loggedSince(world.originLog, mark)), 'text')
  stage.say(fault.says)
  await stage.pause()

  const before = verdictIn(await judged(telling, fault), fault)
  const diffs = [
    ...(fault.project === undefined ? [] : [await mendProject(world.project, fault.project)]),
    ...(fault.patch === undefined ? [] : [await mend(program.folder, PATCHES[fault.patch])]),
  ]
  stage.say(fault.fix)
  stage.show('What changes', diffs.join('\n'), 'diff')
  if (fault.project !== undefined) await world.restartGateway({ newKeys: fault.project === 'algorithm' })
  await startOrigin(telling)
  tellVerdicts(stage, fault, before, verdictIn(await judged(telling, fault), fault))
  await stage.pause()
}

async function tellHiddenFault(telling: Telling, fault: HiddenFault): Promise<void> {
  const { stage, program, signal } = telling
  signal.throwIfAborted()
  stage.heading(fault.title)
  stage.busy(`Judging ${fault.case}`)
  const before = await judged(telling, fault)
  stage.show('What the case found', findingsOf(before, fault), 'text')
  stage.say(fault.says)
  await stage.pause()

  stage.say(fault.fix)
  stage.show('What changes', await mend(program.folder, PATCHES[fault.patch]), 'diff')
  stage.busy(`Judging ${fault.case} again`)
  const after = await judged(telling, fault)
  tellVerdicts(stage, fault, verdictIn(before, fault), verdictIn(after, fault))
  const measured = measuredIn(after)
  if (measured !== '') stage.show('As measured now', measured, 'text')
  await stage.pause()
}

/** What the case says of the gateway's project, or of the origin, as they are now. */
function judged({ world, launcher, program, signal }: Telling, fault: PathFault | HiddenFault): Promise<Report> {
  const cases = [fault.case]
  if (fault.judged.subject === 'gateway') return judgeGateway(world.project, fault.judged.profile, signal, cases)
  const measured = 'measured' in fault ? fault.measured : undefined
  const question = { program, profile: fault.judged.profile, cases, ...(measured ? { measured } : {}) }
  return judgeOrigin(launcher, question, signal)
}

function verdictIn({ cases }: Report, fault: PathFault): Verdict {
  return cases.find(({ id }) => id === fault.case)?.verdict ?? 'skip'
}

function findingsOf(report: Report, fault: PathFault): string {
  const result = report.cases.find(({ id }) => id === fault.case)
  const found = (result?.findings ?? []).map(
    ({ stimulus, expected, observed }) => `${stimulus}: ${observed}\n  expected: ${expected}`,
  )
  const missing = result?.missing.map(({ says, unlock }) => `Not judged here, for want of ${says}: ${unlock}`) ?? []
  return [fault.case, ...found, ...missing, result?.reason ?? '', measuredIn(report)]
    .filter((line) => line !== '')
    .join('\n')
}

function measuredIn({ behaviour }: Report): string {
  return behaviour
    .map(({ title, unit = '', value, why }) => `${title}: ${inWords(value) ?? why} ${unit}`.trimEnd())
    .join('\n')
}

function inWords(value: MeasuredValue | undefined): string | undefined {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return value === undefined ? undefined : String(value)
}

function tellVerdicts(stage: Stage, fault: PathFault, before: Verdict, after: Verdict): void {
  stage.verdicts([
    {
      id: fault.case,
      variants: [
        { variant: 'before', verdict: before },
        { variant: 'after', verdict: after },
      ],
    },
  ])
}
