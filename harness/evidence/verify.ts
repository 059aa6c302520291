import { artefactText } from './artefact.ts'
import type { Artefact } from './artefact.ts'
import { PAYLOAD_TYPE, preAuthEncoding } from './envelope.ts'
import type { Envelope } from './envelope.ts'
import type { TrustedKey } from './keys.ts'
import { readStatement } from './read-statement.ts'
import { REPORT_NAME, sha256 } from './statement.ts'
import type { Statement } from './statement.ts'

/** One thing that was asked of a statement, and whether it holds. */
export interface Claim {
  readonly name: string
  readonly holds: boolean
  /** A phrase for people. */
  readonly says: string
}

/** What is asked of a statement. */
export interface Demands {
  /** Any one of them has to have signed. */
  readonly keys: readonly (TrustedKey & { readonly file: string })[]
  readonly artefacts: readonly Artefact[]
  /** The report as it stands in its file. */
  readonly report?: Uint8Array
  readonly edition?: string
  /** Milliseconds. */
  readonly maxAge?: number
  /** `pass`, `judged`, or full ids of cases. */
  readonly require: readonly string[]
}

/** How far the clock of the machine that ran it may be ahead, milliseconds. */
const SKEW_MS = 5 * 60_000

/** Judges an envelope: the signature first, and nothing else where it does not hold. */
export function verifyEnvelope(envelope: Envelope, demands: Demands, now: number): readonly Claim[] {
  const signature = signed(envelope, demands.keys)
  if (!signature.holds) return [signature]
  const statement = readStatement(envelope.payload)
  if (typeof statement === 'string') return [signature, { name: 'statement', holds: false, says: statement }]
  return [
    signature,
    tested(statement),
    ...demands.artefacts.map((artefact) => about(statement, artefact)),
    ...(demands.report ? [ofReport(statement, demands.report)] : []),
    ...(demands.edition === undefined ? [] : [ofEdition(statement, demands.edition)]),
    aged(statement, demands.maxAge, now),
    ...demands.require.map((what) => required(statement, what)),
  ]
}

function signed({ payloadType, payload, signatures }: Envelope, keys: Demands['keys']): Claim {
  const name = 'signature'
  if (payloadType !== PAYLOAD_TYPE) return { name, holds: false, says: `the payload is no ${PAYLOAD_TYPE}` }
  const octets = preAuthEncoding(payloadType, payload)
  // Every key is tried with every signature: the keyid is not signed, so it decides nothing.
  const by = keys.find((key) => signatures.some(({ signature }) => key.verifies(octets, signature)))
  if (by) return { name, holds: true, says: `by the key in ${by.file} (${by.algorithm}, ${by.keyid.slice(0, 16)}…)` }
  return { name, holds: false, says: `not by the key in ${keys.map(({ file }) => file).join(' or ')}` }
}

/** Says what was tested; what nobody ran does not hold. */
function tested({ predicate: { trustspec } }: Statement): Claim {
  const parts = trustspec.parts.map(({ subject, target: { kind, url, name } }) => {
    const what = kind === 'embedded' ? 'embedded reference' : `${kind}${name === undefined ? '' : ` ${name}`} at ${url}`
    return `${subject}: ${what}`
  })
  const says = `${parts.join(', ')}, by trustspec ${trustspec.version}`
  return { name: 'tested', holds: parts.length > 0, says: parts.length > 0 ? says : 'nothing' }
}

function about({ subject }: Statement, artefact: Artefact): Claim {
  const { name, algorithm, digest } = artefact
  const isIt = (one: Statement['subject'][number]): boolean =>
    own(one.digest, algorithm) === digest && (name === undefined || one.name === name)
  const others = subject.filter((one) => one.name !== REPORT_NAME)
  const named = others.map((one) => one.name ?? Object.values(one.digest ?? {}).join(' '))
  const says = named.length === 0 ? 'the statement names no artefact' : `the statement is about ${named.join(', ')}`
  const holds = subject.some(isIt)
  return { name: 'subject', holds, says: holds ? artefactText(artefact) : `not ${artefactText(artefact)}: ${says}` }
}

function ofReport({ subject }: Statement, report: Uint8Array): Claim {
  const digest = sha256(report)
  const holds = subject.some((one) => one.name === REPORT_NAME && own(one.digest, 'sha256') === digest)
  return { name: 'report', holds, says: holds ? `sha256:${digest}` : 'the report is another one, or was changed' }
}

function ofEdition({ predicate }: Statement, wanted: string): Claim {
  const { edition } = predicate.trustspec
  const says = edition === undefined ? 'the statement names no edition' : `edition ${edition}`
  return { name: 'edition', holds: edition === wanted, says: edition === wanted ? says : `${says}, not ${wanted}` }
}

function aged({ predicate }: Statement, maxAge: number | undefined, now: number): Claim {
  const { finishedAt } = predicate.trustspec
  const age = now - Date.parse(finishedAt)
  const isFuture = age < -SKEW_MS
  const isOld = maxAge !== undefined && age > maxAge
  const why = isFuture ? ', which is in the future' : isOld ? ', which is too long ago' : ''
  return { name: 'age', holds: why === '', says: `tested at ${finishedAt}${why}` }
}

function required({ predicate }: Statement, what: string): Claim {
  if (what === 'pass') return passed(predicate)
  const { unjudged, verdicts } = predicate.trustspec
  if (what === 'judged') {
    const some = unjudged.slice(0, 3).join(', ')
    const says = unjudged.length === 0 ? 'every requirement' : `not ${unjudged.length} requirements, such as ${some}`
    return { name: 'judged', holds: unjudged.length === 0, says }
  }
  const holds = predicate.passedTests.includes(what) && own(verdicts, what) === 'pass'
  return { name: 'case', holds, says: `${what}: ${own(verdicts, what) ?? 'was not run'}` }
}

function passed({ result, passedTests, warnedTests, failedTests, trustspec }: Statement['predicate']): Claim {
  const counts = `${passedTests.length} passed, ${warnedTests.length} warned, ${failedTests.length} failed`
  const says = `${result}: ${counts}, ${trustspec.unjudged.length} requirements not judged`
  const isGood = result !== 'FAILED' && trustspec.exit.code === 0 && failedTests.length === 0 && passedTests.length > 0
  if (isGood && trustspec.selected) {
    return { name: 'result', holds: false, says: `${says}; only some cases were selected, so name those required` }
  }
  return { name: 'result', holds: isGood, says }
}

function own(record: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined
}
