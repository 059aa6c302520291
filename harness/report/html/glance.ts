import type { CaseResult, Report } from '../../model/result.ts'
import { FAILURES, isFailure } from '../../model/verdict.ts'
import type { Failure } from '../../model/verdict.ts'
import { counted } from '../text.ts'
import { dueOf, listed, lower, nameOf } from './words.ts'
import type { Tone } from './theme.ts'

/** What a person is told first: what is wrong, in plain words, and what to do. */
export interface Glance {
  readonly tone: Tone
  readonly headline: string
  /** What follows from it: a sentence or two. */
  readonly lede: string
  /** The one cause, as the pre-flight has it. */
  readonly cause?: string
  /** The worst of what is broken: what is required, and what was seen. */
  readonly worst?: string
  /** What to do first, in order; empty where nothing is to be done. */
  readonly steps: readonly Step[]
}

export interface Step {
  readonly text: string
  /** Why it is known already. */
  readonly note?: string
  /** The case that it is about. */
  readonly about?: CaseResult
}

/** Findings that are named at first sight. */
const MOST_STEPS = 3

/** The glance at one report. */
export function glanceOf(report: Report): Glance {
  return blocked(report) ?? broken(report) ?? unclear(report) ?? met(report)
}

type Words = Readonly<Record<Failure, string>>

const CONTROLS: Readonly<Record<Report['subject'], Words>> = {
  origin: {
    'fail-open': 'could not be tested',
    'fail-crash': 'crashes on every valid token',
    'fail-closed': 'refuses every valid token',
    fail: 'does not answer a valid token as it should',
  },
  gateway: {
    'fail-open': 'could not be tested',
    'fail-crash': 'fails on a valid API key',
    'fail-closed': 'refuses a valid API key',
    fail: 'does not answer a valid API key as it should',
  },
  chain: {
    'fail-open': 'could not be tested',
    'fail-crash': 'fails on a valid call',
    'fail-closed': 'lets no valid call through to the origin',
    fail: 'does not answer a valid call as it should',
  },
}

/** Nothing could be judged, for one cause. */
function blocked(report: Report): Glance | undefined {
  const { subject, cases, preflight } = report
  const { cause } = preflight
  if (cause === undefined) return undefined
  const control = cases.find(({ verdict }) => isFailure(verdict))
  const how = control && isFailure(control.verdict) ? CONTROLS[subject][control.verdict] : 'could not be tested'
  const left = cases.filter(({ verdict, reason }) => verdict === 'inconclusive' && reason === cause).length
  const isCrash = control?.verdict === 'fail-crash'
  const thing = subject === 'origin' ? 'a valid token' : subject === 'gateway' ? 'a valid API key' : 'a valid call'
  const first: Step = {
    text: isCrash ? `Mend this error, until ${thing} is accepted.` : mending(cause, control),
    ...(control?.known ? { note: control.known.reason } : {}),
    ...(control ? { about: control } : {}),
  }
  return {
    tone: 'bad',
    headline: `${nameOf(report)} ${how}.`,
    lede: `Because of this one fault nobody gets in, and ${left} of ${cases.length} cases could not be judged. Whether it would refuse an attacker is not known.`,
    cause,
    steps: [
      first,
      {
        text: `Then run trustspec again: ${counted(left, 'other case')} can be judged only once ${thing} is accepted.`,
      },
    ],
  }
}

/** The cause often says what to change; the remedy of the control does where it does not. */
function mending(cause: string, control: CaseResult | undefined): string {
  const isAdvice = /: (?:set|check|correct|compare|lift)\b|, so (?:check|compare)\b/u.test(cause)
  return isAdvice || !control ? 'Do what the cause says.' : control.remedy
}

const HOW: Words = {
  'fail-open': 'lets in what it must refuse',
  'fail-crash': 'crashes where it should answer',
  'fail-closed': 'refuses what it must accept',
  fail: 'does not answer as required',
}

const COUNTED: Words = {
  'fail-open': 'accepts what must be refused',
  'fail-crash': 'crashes, hangs or answers 5xx',
  'fail-closed': 'refuses what must be accepted',
  fail: 'answers otherwise than required',
}

/** Requirements are broken that nobody has accepted. */
function broken(report: Report): Glance | undefined {
  const due = dueOf(report)
  const open = due.filter(({ known }) => known?.accepted !== true)
  const failed = FAILURES.flatMap((failure) => open.filter(({ verdict }) => verdict === failure))
  const [worst] = failed
  if (!worst || !isFailure(worst.verdict)) return undefined
  const counts = FAILURES.flatMap((failure) => {
    const number = failed.filter(({ verdict }) => verdict === failure).length
    return number === 0 ? [] : [`${failed.length === 1 ? '' : `in ${number} `}it ${COUNTED[failure]}`]
  })
  const must = due.filter(({ level }) => level === 'MUST').length
  return {
    tone: 'bad',
    headline: `${nameOf(report)} ${HOW[worst.verdict]}.`,
    lede: `${failed.length} of ${must} requirements ${failed.length === 1 ? 'is' : 'are'} broken: ${listed(counts)}.`,
    worst: `It is required that the ${report.subject} ${worst.title}. Seen: ${worst.findings[0]?.observed ?? worst.verdict}.`,
    steps: failed.slice(0, MOST_STEPS).map((about) => ({
      text: about.remedy,
      about,
      ...(about.known ? { note: about.known.reason } : {}),
    })),
  }
}

/** Nothing is broken as far as is known, but not all is known. */
function unclear(report: Report): Glance | undefined {
  const open = dueOf(report).filter(
    ({ verdict, level, known }) => verdict === 'inconclusive' && level === 'MUST' && known?.accepted !== true,
  )
  const judged = dueOf(report).filter(({ verdict }) => verdict !== 'skip' && verdict !== 'inconclusive').length
  const [about] = open
  if (!about && judged > 0) return undefined
  return {
    tone: 'unclear',
    headline: about
      ? `${nameOf(report)} could not be judged in full.`
      : `Nothing of ${lower(nameOf(report))} could be judged.`,
    lede: about
      ? `Nothing broken was found, but ${open.length === 1 ? 'one requirement' : `${open.length} requirements`} could not be established.`
      : 'Nothing was judged, so nothing is proven; what would unlock the cases is listed below.',
    steps: about
      ? [{ text: about.reason ?? 'See why it is unclear.', about }]
      : report.notProven.slice(0, 1).map(({ unlock, says }) => ({ text: `Give the run ${says}: ${unlock}` })),
  }
}

function met(report: Report): Glance {
  const { stale, expired = [] } = report
  const cases = dueOf(report)
  const must = cases.filter(({ level }) => level === 'MUST')
  const proven = must.filter(({ verdict }) => verdict === 'pass').length
  const skipped = must.filter(({ verdict }) => verdict === 'skip').length
  const accepted = cases.filter(({ known, verdict }) => known?.accepted === true && isFailure(verdict)).length
  const warned = cases.filter(({ verdict }) => verdict === 'warn')
  const parts = [
    `${proven} of ${must.length} requirements are proven.`,
    ...(accepted > 0 ? [`${accepted} broken ${accepted === 1 ? 'one is' : 'ones are'} accepted as known.`] : []),
    ...(skipped > 0 ? [`${skipped} could not be judged with what the run was given.`] : []),
    ...(warned.length > 0
      ? [`${warned.length} ${warned.length === 1 ? 'recommendation is' : 'recommendations are'} not met.`]
      : []),
  ]
  const strike = stale.map(({ case: id, verdict, stimuli }) => ({
    text: `${id} is no longer ${verdict}${stimuli === undefined ? '' : ` with ${stimuli.join(', ')}`}: strike it from the list of accepted findings.`,
  }))
  const renew = expired.map(({ case: id, expires = '' }) => ({
    text: `${id} was accepted until ${expires}: mend it, or agree upon another day.`,
  }))
  const improve = warned.slice(0, MOST_STEPS).map((about) => ({ text: about.remedy, about }))
  return {
    tone: stale.length > 0 || expired.length > 0 || warned.length > 0 || accepted > 0 ? 'warn' : 'good',
    headline:
      accepted > 0
        ? `${nameOf(report)} breaks only what is accepted as known.`
        : `${nameOf(report)} meets every requirement that was judged.`,
    lede: parts.join(' '),
    steps: [...renew, ...strike, ...improve],
  }
}
