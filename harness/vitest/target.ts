import type { Given } from '../cli/args.ts'
import { gateOf } from '../cli/gate.ts'
import type { Common } from '../cli/part.ts'
import { partOf } from '../cli/parts.ts'
import { SUITES_OF } from '../cli/selection.ts'
import type { Config } from '../config/define.ts'
import type { GateConfig } from '../config/gate-shape.ts'
import { settingsOf } from '../config/settings.ts'
import type { Subject } from '../model/case.ts'
import type { Edition } from '../model/edition.ts'
import type { Report } from '../model/result.ts'
import type { Verdict } from '../model/verdict.ts'
import { suitesIn } from '../runner/edition.ts'
import type { GateOptions, Selection } from '../runner/options.ts'
import { assertKnown, chosenFrom, nothingSelected } from '../runner/select.ts'
import { runBeside } from './beside.ts'
import type { OriginUnderTest } from './origin.ts'

/**
 * What is put under test: an origin at a URL or as an object, or whatever `defineOrigin`, `defineGateway` and
 * `defineChain` describe.
 */
export type ConformanceTarget = string | OriginUnderTest | Config

/** A target that was understood. */
export interface Prepared {
  readonly subject: Subject
  /** The cases about it, in the order of the catalogue. */
  readonly cases: readonly { readonly id: string; readonly title: string }[]
  /** What fails, and what counts. */
  readonly gate: GateOptions & { readonly failOn: readonly Verdict[] }
  readonly run: (common: Common, signal: AbortSignal) => Promise<Report>
}

/** The arguments of a run that is told everything otherwise. */
const NOTHING: Given = { values: {}, positionals: [] }

/** Where mistakes in a target are, for their messages. */
const WHERE = 'the target of describeConformance'

/** Checks the target and the selection; ERR_PROFILE_INVALID, ERR_USAGE or ERR_NOTHING_SELECTED for what is wrong. */
export function prepare(target: ConformanceTarget, select: Selection, gate: GateConfig): Prepared {
  const prepared = (subject: Subject, run: Prepared['run'], configured: GateConfig = {}): Prepared => {
    const { baseline, edition, failOn } = { ...configured, ...gate }
    const own = gateOf(NOTHING, {
      ...(baseline === undefined ? {} : { baseline }),
      ...(edition === undefined ? {} : { edition }),
      ...(failOn === undefined ? {} : { failOn }),
    })
    return { subject, cases: casesOf(subject, select, own.edition), gate: { ...own, failOn: own.failOn ?? [] }, run }
  }
  if (typeof target === 'string') {
    return prepared('origin', (common, signal) => runBeside({ url: target }, common, signal))
  }
  if (!('subject' in target)) {
    const { url: _url, issuer: _issuer, realToken: _token, ...profile } = target
    settingsOf({ ...profile, subject: 'origin' }, WHERE, process.env)
    return prepared('origin', (common, signal) => runBeside(target, common, signal))
  }
  const settings = settingsOf(target, WHERE, process.env)
  const run: Prepared['run'] = async (common, signal) => {
    const part = await partOf(NOTHING, common, settings.subject, { settings })
    const progress = { on: () => undefined, note: () => undefined, end: () => undefined }
    return await part.run({ print: () => undefined, progress }, signal)
  }
  return prepared(settings.subject, run, settings.gate)
}

function casesOf(subject: Subject, select: Selection, edition: Edition): Prepared['cases'] {
  const suites = suitesIn(SUITES_OF[subject], edition)
  assertKnown(suites, select)
  const chosen = new Set(chosenFrom(suites, select))
  if (chosen.size === 0) throw nothingSelected(select)
  return suites
    .flatMap((suite) => suite.cases.map(({ id, title }) => ({ id: `${suite.id}/${id}`, title })))
    .filter(({ id }) => chosen.has(id))
}
