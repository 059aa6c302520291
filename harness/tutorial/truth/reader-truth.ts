import type { CaseResult, Report } from '../../model/result.ts'
import { isFailure } from '../../model/verdict.ts'
import { counted } from '../../report/text.ts'
import { loggedSince, withoutLibraries } from '../log.ts'
import { startOpenOrigin } from '../open-origin.ts'
import type { TutorialOrigin } from '../origins.ts'
import type { Stage } from '../stage.ts'
import type { World } from '../world.ts'
import { judgeOrigin } from './judge.ts'
import { mendProject } from './project-steps.ts'
import type { ReaderFile } from './reader-file.ts'
import type { TruthOptions } from './truth.ts'
import { NAMED } from './variants.ts'

/** What the page's origin keeps the JWKS for, and how long it may take to look again or to give up. */
const KEEPING = { maxAgeSec: 600, cooldownSec: 30, timeoutMs: 2_000 }

/** After step 5, for a file of the reader's own: the gateway is mended, and what is left is up to the file. */
export async function tellReader(
  world: World,
  stage: Stage,
  file: ReaderFile,
  origin: TutorialOrigin,
  options: Pick<TruthOptions, 'launcher' | 'signal'>,
): Promise<void> {
  const { shown, audience } = file
  stage.heading(`A valid token for ${shown}`)
  stage.say(
    'The gateway is mended first, so that the rest is up to your file: a policy attaches a token, which the page ' +
      'leaves out, and the service signs with RS256, which is what the page has origins take.',
  )
  const steps = ['attach', 'algorithm', ...(audience === null ? [] : (['audience'] as const))] as const
  const diffs: string[] = []
  for (const step of steps) diffs.push(await mendProject(world.project, step, audience ?? undefined))
  stage.show('What changes', diffs.join('\n'), 'diff')
  await world.restartGateway({ newKeys: true })
  await world.startOrigin(origin.start)
  const mark = world.originLog().length
  const hops = await world.call()
  stage.travel(hops)
  const status = hops[0]?.status ?? 0
  if (status >= 400) {
    const log = await loggedSince(world.originLog, mark)
    if (log.length > 0) stage.show('What your file logged', withoutLibraries(log), 'text')
  }
  stage.say(said(status, hops[0]?.answerBody ?? '', world.originLog().slice(mark)))
  await stage.pause()

  stage.heading(`What the suites say of ${shown}`)
  if (audience === null) {
    stage.say(
      'It names no audience, so that it is judged with tokens that have none. Those of the gateway always have one, and ' +
        'python-jose refuses them then: see --audience.',
    )
  }
  stage.busy('Judging it by all suites')
  // It has a port of its own, which has to be free again.
  await world.startOrigin(startOpenOrigin)
  const profile = { audience, jwks: KEEPING }
  const report = await judgeOrigin(
    options.launcher,
    { program: file.program, known: file.known, profile },
    options.signal,
  )
  tellReport(stage, report)
  await world.startOrigin(origin.start)
}

/** What the page borrowed from another library, and what stands for it. */
const BORROWED =
  'RSAAlgorithm.from_jwk belongs to PyJWT, and the file imports python-jose, which takes the JWK as it is: return jwk.'

/** What the call says of the file, in a sentence. */
function said(status: number, body: string, log: readonly string[]): string {
  if (status >= 200 && status < 300) return 'A valid token is let in.'
  const error = log.findLast((line) => /^[\w.]*(?:Error|Exception)\b/u.test(line))
  const because = error ?? body.trim().slice(0, 200)
  const mend = error?.includes("has no attribute 'algorithms'") === true ? ` ${BORROWED}` : ''
  return `A valid token is answered with ${status === 0 ? 'nothing' : status}: ${because}.${mend}`
}

function tellReport(stage: Stage, report: Report): void {
  const { cases, preflight, summary } = report
  if (preflight.cause !== undefined) stage.say(preflight.cause)
  const named = cases.filter(({ id }) => NAMED.includes(id))
  stage.verdicts(named.map(({ id, verdict }) => ({ id, variants: [{ variant: 'your file', verdict }] })))
  const broken = cases.filter(({ verdict }) => isFailure(verdict) || verdict === 'warn')
  if (broken.length > 0) stage.show('What is broken, and what to do', broken.map(lineOf).join('\n'), 'text')
  const failed = cases.filter(({ verdict }) => isFailure(verdict)).length
  stage.say(
    `Of ${counted(cases.length, 'case')}, ${summary.pass} passed. Broken: ${failed}; recommendations that are not ` +
      `followed: ${summary.warn}; not judged: ${summary.inconclusive + summary.skip}.`,
  )
}

function lineOf({ id, verdict, findings, remedy }: CaseResult): string {
  const [first] = findings
  const seen = first === undefined ? '' : `\n  ${first.stimulus}: ${first.observed}`
  return `${verdict} ${id}${seen}\n  ${remedy}`
}
