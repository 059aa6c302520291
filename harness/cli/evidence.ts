import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { artefactOf, ARTEFACT } from '../evidence/artefact.ts'
import { envelopeText } from '../evidence/envelope.ts'
import { signerOf } from '../evidence/keys.ts'
import { sha256, statementOf } from '../evidence/statement.ts'
import type { Resource } from '../evidence/statement.ts'
import { TrustspecError } from '../model/errors.ts'
import type { Report } from '../model/result.ts'
import type { Verdict } from '../model/verdict.ts'
import { assertWritable } from '../report/files.ts'
import { BUDGET } from '../runner/budget.ts'
import { textOf, usage, valuesOf } from './args.ts'
import type { Given } from './args.ts'

/** The variable that holds the private key, so that it is in no file. */
const KEY_VARIABLE = 'TRUSTSPEC_EVIDENCE_KEY'

/** Signs and writes what a run found out, and says so; `reportText` is what stands in the file of --json. */
export type Evidence = (run: {
  readonly reports: readonly Report[]
  readonly exit: Report['exit']
  readonly reportText: string
  /** Only some cases were selected. */
  readonly selected: boolean
  /** Verdicts that fail the run. */
  readonly failOn: readonly Verdict[]
}) => Promise<string>

/**
 * What --evidence asks for, checked before anything runs; undefined without it. `files` say how the run is done: the
 * configuration and the baseline. The key leaves the environment, where
 * the process under test would find it.
 */
export async function evidenceFor(
  given: Given,
  env: NodeJS.ProcessEnv,
  files: readonly (string | undefined)[] = [],
): Promise<Evidence | undefined> {
  const fromEnvironment = env[KEY_VARIABLE]
  delete env[KEY_VARIABLE]
  const file = textOf(given, 'evidence')
  const keyFile = textOf(given, 'evidence-key')
  if (file === undefined) {
    const [alone] = ['evidence-key', 'subject'].filter((name) => given.values[name] !== undefined)
    if (alone === undefined) return undefined
    throw usage('The flag belongs to --evidence', { flag: `--${alone}`, instead: '--evidence FILE beside it' })
  }
  await assertWritable(file, '--evidence')
  const signer = signerWith(keyFile, fromEnvironment)
  const artefacts = valuesOf(given, 'subject').map(artefactNamed)
  const configuration = [...files, textOf(given, 'profile-file')].flatMap(resourceOf)
  const url = pageOf(env)
  return async (run) => {
    assertComplete(run.reports)
    const isReference = run.reports.some(({ target }) => target.kind === 'embedded')
    if (isReference && artefacts.length > 0) {
      throw usage('The embedded reference was tested, and not the artefact of --subject', {
        instead: 'a URL, --exec or --image under test, or no --subject',
      })
    }
    const statement = statementOf({ ...run, artefacts, configuration, ...(url === undefined ? {} : { url }) })
    await writeWhole(file, envelopeText(Buffer.from(JSON.stringify(statement)), signer))
    return `${statement.predicate.result}, signed by key ${signer.keyid.slice(0, 16)}…, is in ${file}`
  }
}

function signerWith(file: string | undefined, fromEnvironment: string | undefined) {
  const instead = `--evidence-key KEY.pem or ${KEY_VARIABLE}, with what "openssl genpkey -algorithm ed25519" makes`
  if (file === undefined && (fromEnvironment === undefined || fromEnvironment === '')) {
    throw usage('Evidence has to be signed, and there is no key', { flag: '--evidence', instead })
  }
  let text = fromEnvironment ?? ''
  if (file !== undefined) {
    try {
      text = readFileSync(file, 'utf8')
    } catch (error) {
      throw usage('The key cannot be read', { flag: '--evidence-key', file, instead: 'a file that exists' }, error)
    }
  }
  const signer = signerOf(text)
  if (typeof signer !== 'string') return signer
  throw usage('The key cannot sign evidence', {
    ...(file === undefined ? { variable: KEY_VARIABLE } : { flag: '--evidence-key', file }),
    given: signer,
    instead: 'one private key, not encrypted: Ed25519, EC on P-256 or P-384, or RSA of 2048 bits or more, as PEM',
  })
}

/** What a digest names; ERR_USAGE for other text. */
export function artefactNamed(text: string) {
  const artefact = artefactOf(text)
  if (artefact) return artefact
  throw usage('The subject has no digest', { flag: '--subject', given: text, instead: ARTEFACT })
}

/** Nothing is signed of a run that ended early, or in which something kept all cases from being judged. */
function assertComplete(reports: readonly Report[]): void {
  for (const { subject, preflight, cases } of reports) {
    const isJudged = cases.some(({ verdict }) => verdict !== 'skip' && verdict !== 'inconclusive')
    const isCut = cases.some(({ missing }) => missing.some(({ capability }) => capability === BUDGET))
    if (preflight.cause === undefined && isJudged && !isCut) continue
    throw new TrustspecError('ERR_NOT_ATTESTABLE', 'The run is not complete, so no evidence of it is signed', {
      subject,
      cause: preflight.cause ?? (isCut ? 'the budget was spent before the last case' : 'no case was judged'),
      instead: isCut ? 'a larger budget, or fewer cases' : 'a run that judges cases',
    })
  }
}

function resourceOf(name: string | undefined): readonly Resource[] {
  if (name === undefined) return []
  try {
    return [{ name: path.relative(process.cwd(), name), digest: { sha256: sha256(readFileSync(name)) } }]
  } catch (error) {
    throw usage('The file cannot be read', { file: name, instead: 'a file that exists' }, error)
  }
}

/** The page of this run at GitHub or GitLab. */
function pageOf(env: NodeJS.ProcessEnv): string | undefined {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id, CI_JOB_URL: job } = env
  const isGitHub = server !== undefined && repository !== undefined && id !== undefined
  return isGitHub ? `${server}/${repository}/actions/runs/${id}` : job
}

async function writeWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`
  try {
    await writeFile(draft, text)
    await rename(draft, file)
  } catch (error) {
    throw usage('The evidence cannot be written', { '--evidence': file, instead: 'a file that may be written' }, error)
  }
}
