import path from 'node:path'
import { findConfig, loadConfig } from '../config/load.ts'
import type { Settings } from '../config/settings.ts'
import type { Subject } from '../model/case.ts'
import { nearest } from '../model/nearest.ts'
import { textOf, usage } from './args.ts'
import type { Given } from './args.ts'
import { FLAGS_OF, TELLING } from './flags.ts'

/** What can be put under test, in the order of a whole run. */
export const SUBJECTS: readonly Subject[] = ['origin', 'gateway', 'chain']

/** What a run is about. */
export interface Asked {
  /** One subject, or every one where nothing is said. */
  readonly subjects: readonly Subject[]
  /** The configuration, where one is used, and its file. */
  readonly settings?: Settings
  readonly file?: string
}

/** Flags that name what is started. */
const STARTS = ['origin', 'exec', 'image', 'compose', 'gateway'] as const

/** Decides what is under test, by --as, the configuration, the target and the flags, in this order. */
export async function askedOf(given: Given): Promise<Asked> {
  const as = subjectNamed(given)
  const explicit = textOf(given, 'config')
  const starts = STARTS.filter((flag) => given.values[flag] !== undefined)
  const [started] = starts
  if (explicit !== undefined && started !== undefined) {
    throw usage('More than one target is given', {
      given: `--config and --${started}`,
      instead: started === 'gateway' ? 'one of them' : '--profile-file FILE for what the origin declares',
    })
  }
  const found = explicit ?? (started === undefined ? findConfig(process.cwd()) : undefined)
  const settings = found === undefined ? undefined : await loadConfig(path.resolve(found), process.env)
  if (settings && as !== undefined && settings.subject !== as) {
    if (explicit === undefined) return { subjects: checked(given, as) }
    throw usage('The configuration is of another subject', {
      flag: '--as',
      given: as,
      instead: `--as ${settings.subject}, or the configuration of ${as === 'origin' ? 'an' : 'a'} ${as}`,
    })
  }
  const subject = as ?? settings?.subject ?? subjectOf(given)
  if (subject === undefined) return { subjects: SUBJECTS }
  return {
    subjects: checked(given, subject),
    ...(settings && found !== undefined ? { settings, file: path.relative(process.cwd(), path.resolve(found)) } : {}),
  }
}

/** The subject of --as; ERR_USAGE for another word. */
export function subjectNamed(given: Given): Subject | undefined {
  const name = textOf(given, 'as')
  const subject = SUBJECTS.find((one) => one === name)
  if (name === undefined || subject) return subject
  throw usage('There is no such subject', {
    flag: '--as',
    given: name,
    instead: `--as ${nearest(name, SUBJECTS)}, out of ${SUBJECTS.join(', ')}`,
  })
}

/** The one subject that target and flags tell of; undefined where they tell of none. */
function subjectOf(given: Given): Subject | undefined {
  const flags = Object.keys(given.values)
  if (given.values['gateway'] !== undefined) return 'gateway'
  const isTelling = TELLING.some((flag) => flags.includes(flag))
  if (given.positionals.length > 0 || given.values['origin'] !== undefined) return 'origin'
  const [only] = flags.flatMap((flag) => FLAGS_OF[flag as keyof typeof FLAGS_OF]?.[0] ?? [])
  return only ?? (isTelling ? 'origin' : undefined)
}

/** The subject, once every flag that is given means something to it. */
function checked(given: Given, subject: Subject): readonly [Subject] {
  for (const flag of Object.keys(given.values)) {
    const means = FLAGS_OF[flag as keyof typeof FLAGS_OF]
    const [other] = means ?? []
    if (!means || other === undefined || means.includes(subject)) continue
    throw usage(`The flag is not for ${subject}s`, {
      flag: `--${flag}`,
      instead: `--as ${other}, or leave it out`,
    })
  }
  return [subject]
}
