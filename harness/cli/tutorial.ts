import { writeFile } from 'node:fs/promises'
import { assertWritable } from '../report/files.ts'
import { nearest } from '../model/nearest.ts'
import { consoleStage, TutorialEnded } from '../tutorial/console-stage.ts'
import { withMarkdown } from '../tutorial/markdown-stage.ts'
import { FRAMEWORKS, sampleOrigin } from '../tutorial/origins.ts'
import type { Framework, TutorialOrigin } from '../tutorial/origins.ts'
import { DEFAULT_PROJECT } from '../tutorial/project.ts'
import { judgeSibling } from '../tutorial/sibling.ts'
import { containerLauncher } from '../tutorial/truth/containers.ts'
import { readReaderFile } from '../tutorial/truth/reader-file.ts'
import type { ReaderFile } from '../tutorial/truth/reader-file.ts'
import { readerOrigin } from '../tutorial/truth/reader-origin.ts'
import { tellReader } from '../tutorial/truth/reader-truth.ts'
import { processLauncher, SAMPLE, sampleProgram } from '../tutorial/truth/launch.ts'
import type { Place } from '../tutorial/truth/launch.ts'
import { tellTruth } from '../tutorial/truth/truth.ts'
import { runTutorial } from '../tutorial/tutorial.ts'
import type { TutorialOptions } from '../tutorial/tutorial.ts'
import { textOf, usage } from './args.ts'
import type { Given } from './args.ts'
import type { Surroundings } from './commands.ts'

/** Takes a reader through the tutorial; a reader who ends it has done nothing wrong. */
export async function tutorialCommand(given: Given, { print, note, style, signal }: Surroundings): Promise<void> {
  const { stdin, stdout } = process
  const runsThrough = given.values['yes'] === true || (process.env['CI'] ?? '') !== '' || !stdin.isTTY || !stdout.isTTY
  const file = textOf(given, 'write')
  if (file !== undefined) await assertWritable(file, '--write')
  const stage = withMarkdown(
    consoleStage({
      print,
      note,
      style,
      columns: stdout.columns,
      ...(runsThrough ? {} : { keyboard: stdin }),
      signal,
    }),
  )
  const framework = frameworkOf(given)
  const project = textOf(given, 'project') ?? DEFAULT_PROJECT
  const inContainers = given.values['docker'] === true
  const launcher = inContainers ? containerLauncher(stage.busy) : processLauncher(stage.busy)
  await using place = await launcher()
  const app = await appOf(given)
  await using reader = app ? readerOrigin(app, place) : undefined
  const origin = reader?.origin ?? originOf(framework, stage.busy, inContainers ? place : undefined)
  const options: TutorialOptions = {
    project,
    origin,
    ...(place.reach ? { jwksPlace: place.reach } : {}),
    async afterwards(world) {
      if (app) await tellReader(world, stage, app, origin, { launcher, signal })
      else if (framework === 'tornado') await tellTruth(world, stage, { launcher, place, signal })
      else await judgeSibling(framework, world, stage, signal)
    },
    keep: given.values['keep'] === true,
    signal,
  }
  if (!runsThrough) {
    // The window was closed: it ends like Ctrl-C. Where nobody presses keys, it may be meant to outlive its terminal.
    process.once('SIGHUP', () => process.kill(process.pid, 'SIGTERM'))
    stage.say('Enter goes on to the next step; q or Ctrl-C ends everything that was started.')
  }
  try {
    await runTutorial(stage, options)
    if (file !== undefined) await writeFile(file, stage.text())
  } catch (error) {
    if (!(error instanceof TutorialEnded) && !signal.aborted) throw error
    print(`\nEverything that was started has ended; the project is in ${project}.\n`)
    if (signal.aborted) throw error
  }
}

/** The reader's own file, where one is given; ERR_USAGE for flags that do not go with it. */
async function appOf(given: Given): Promise<ReaderFile | undefined> {
  const file = textOf(given, 'app')
  const issuer = textOf(given, 'issuer')
  const audience = textOf(given, 'audience')
  if (file === undefined) {
    const flag = issuer === undefined ? 'audience' : 'issuer'
    if (textOf(given, flag) === undefined) return undefined
    throw usage('The flag says something of your own file', { flag: `--${flag}`, instead: '--app FILE.py beside it' })
  }
  for (const flag of ['framework', 'write']) {
    if (textOf(given, flag) !== undefined) {
      throw usage('The flag does not go with a file of your own', { flag: `--${flag}`, instead: '--app without it' })
    }
  }
  return await readReaderFile(file, {
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  })
}

/** The sample of step 4; in containers where a place for them is given. */
function originOf(framework: Framework, busy: (line: string) => void, place: Place | undefined): TutorialOrigin {
  const origin = sampleOrigin(framework, busy)
  if (!place) return origin
  if (framework !== 'tornado') {
    throw usage('Only the origins of the page, and your own, are run as containers', {
      flag: '--docker',
      given: `--framework ${framework}`,
      instead: '--framework tornado, or --app FILE.py',
    })
  }
  const program = sampleProgram(SAMPLE)
  return { ...origin, prepare: () => place.prepare(program), start: (settings) => place.start(program, {}, settings) }
}

function frameworkOf(given: Given): Framework {
  const names = Object.keys(FRAMEWORKS) as Framework[]
  if (given.positionals.length > 0) {
    throw usage('The tutorial takes flags alone', { given: given.positionals.join(' '), instead: 'see --help' })
  }
  const name = textOf(given, 'framework') ?? 'tornado'
  const framework = names.find((known) => known === name)
  if (framework) return framework
  throw usage('There is no tutorial for this framework', {
    flag: '--framework',
    given: name,
    instead: nearest(name, names),
  })
}
