import { generateKeyPairSync } from 'node:crypto'
import type { KeyPairKeyObjectResult } from 'node:crypto'
import { caseResult, reportOf } from '../model/result.testing.ts'
import type { CaseResult, Report } from '../model/result.ts'
import { artefactOf } from './artefact.ts'
import { envelopeText } from './envelope.ts'
import { signerOf, trustedKeyOf } from './keys.ts'
import type { Signer, TrustedKey } from './keys.ts'
import { statementOf } from './statement.ts'
import type { Run, Statement } from './statement.ts'

/** A private key as PEM, with its public half. */
export interface Pair {
  readonly privatePem: string
  readonly publicPem: string
}

function pair({ privateKey, publicKey }: KeyPairKeyObjectResult): Pair {
  const [privatePem, publicPem] = [
    privateKey.export({ type: 'pkcs8', format: 'pem' }),
    publicKey.export({ type: 'spki', format: 'pem' }),
  ]
  return { privatePem: String(privatePem), publicPem: String(publicPem) }
}

/** A new key of each kind that signs. */
export const MAKE: Readonly<Record<string, () => Pair>> = {
  Ed25519: newPair,
  'ECDSA P-256': () => pair(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  'ECDSA P-384': () => pair(generateKeyPairSync('ec', { namedCurve: 'P-384' })),
  RSA: () => pair(generateKeyPairSync('rsa', { modulusLength: 2048 })),
  'RSA-PSS': () => pair(generateKeyPairSync('rsa-pss', { modulusLength: 2048 })),
}

/** A new Ed25519 pair. */
export function newPair(): Pair {
  return pair(generateKeyPairSync('ed25519'))
}

/** The signer of a key that is known to be good. */
export function signer({ privatePem }: Pair): Signer {
  const made = signerOf(privatePem)
  if (typeof made === 'string') throw new Error(made)
  return made
}

/** The same of a public key. */
export function trusted({ publicPem }: Pair, file = 'pub.pem'): TrustedKey & { readonly file: string } {
  const made = trustedKeyOf(publicPem)
  if (typeof made === 'string') throw new Error(made)
  return { file, ...made }
}

/** A report of an origin by URL that ended at noon. */
export function reportAtNoon(cases: readonly CaseResult[], more: Partial<Report> = {}): Report {
  return reportOf(cases, {
    tool: { name: 'trustspec', version: '1.2.3' },
    target: { kind: 'url', url: 'http://127.0.0.1:8888/orders' },
    startedAt: '2026-03-01T11:59:00.000Z',
    durationMs: 60_000,
    requests: 100,
    capabilities: ['issuer'],
    exit: { code: 0, meaning: 'Every requirement was met.' },
    ...more,
  })
}

/** When the report ended. */
export const NOON = Date.parse('2026-03-01T12:00:00.000Z')

export const DIGEST = 'ab'.repeat(32)

/** A run that ended well, with what the test is about. */
export function runOf(report: Report, more: Partial<Run> = {}): Run {
  const artefact = artefactOf(`ghcr.io/acme/orders@sha256:${DIGEST}`)
  return {
    reports: [report],
    exit: report.exit,
    reportText: JSON.stringify(report),
    artefacts: artefact ? [artefact] : [],
    configuration: [],
    selected: false,
    failOn: ['fail-open', 'inconclusive'],
    ...more,
  }
}

/** A statement of a run in which two cases passed. */
export function goodStatement(more: Partial<Run> = {}): Statement {
  return statementOf(
    runOf(reportAtNoon([caseResult('origin/claims/iss-wrong'), caseResult('origin/claims/aud-wrong')]), more),
  )
}

/** An envelope around any value as JSON. */
export function sealed(value: unknown, by: Pair): string {
  return envelopeText(Buffer.from(JSON.stringify(value)), signer(by))
}

/** Every value that is no object and no array, with the path to it. */
export function leavesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, [...path, name]))
}

/** A copy with another value at a path. */
export function withChanged<T>(value: T, [name, ...rest]: readonly string[], change: (old: unknown) => unknown): T {
  if (name === undefined) return change(value) as T
  const copy = structuredClone(value) as Record<string, unknown>
  copy[name] = withChanged(copy[name], rest, change)
  return copy as T
}
