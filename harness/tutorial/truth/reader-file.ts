import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { IssuerNames } from '../../issuer/server.ts'
import { TrustspecError } from '../../model/errors.ts'
import { SAMPLE } from './launch.ts'
import type { Program } from './launch.ts'

/** What a reader's own file has in its code. */
export interface ReaderFile {
  readonly program: Program
  /** As the reader gave it. */
  readonly shown: string
  readonly text: string
  readonly known: IssuerNames
  /** The one audience that it expects; null where it names none. */
  readonly audience: string | null
}

/** Path of the issuer at the gateway of the page. */
const ISSUER_PATH = '/__zuplo/issuer'

/** Reads the file; ERR_USAGE where it cannot be read, or where its issuer is not to be found in it. */
export async function readReaderFile(
  shown: string,
  given: { readonly issuer?: string; readonly audience?: string },
): Promise<ReaderFile> {
  const file = path.resolve(shown)
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new TrustspecError(
      'ERR_USAGE',
      'The file of your API cannot be read',
      { '--app': shown, instead: 'the path of a Python file' },
      { cause: error },
    )
  })
  const folder = path.dirname(file)
  const code = text.replaceAll(/^\s*#.*$/gmu, '')
  const port = portIn(code)
  const issuer = issuerOf(given.issuer ?? literal(code, 'ISSUER'), shown)
  return {
    shown,
    text,
    known: { issuer, jwksUrl: jwksUrlIn(code, issuer) },
    audience: given.audience ?? audienceIn(code),
    program: {
      folder,
      file: path.basename(file),
      requirements: existsSync(path.join(folder, 'requirements.txt')) ? folder : SAMPLE,
      ...(port === undefined ? {} : { port }),
    },
  }
}

/** The text of a constant, where it stands there as such, or as what counts where no variable is set. */
function literal(code: string, name: string): string | undefined {
  const assigned = new RegExp(`^${name}\\s*=\\s*(.*)$`, 'mu').exec(code)?.[1] ?? ''
  return [...assigned.matchAll(/(?<![rbuf\w])(["'])(.*?)\1/gu)].at(-1)?.[2]
}

function issuerOf(url: string | undefined, shown: string): string {
  const parsed = url !== undefined && URL.canParse(url) ? new URL(url) : undefined
  if (url !== undefined && parsed?.protocol === 'https:' && parsed.pathname === ISSUER_PATH) return url
  throw new TrustspecError('ERR_USAGE', 'The issuer that your file trusts is not one that the tutorial can stand for', {
    '--app': shown,
    ISSUER: url ?? 'not found',
    instead: `--issuer https://HOST${ISSUER_PATH}, as it stands in the file`,
  })
}

function jwksUrlIn(code: string, issuer: string): string {
  const url = literal(code, 'JWKS_URL')
  return url !== undefined && URL.canParse(url) ? url : `${issuer}/.well-known/jwks.json`
}

function audienceIn(code: string): string | null {
  return literal(code, 'AUDIENCE') ?? /\baudience\s*=\s*(["'])(.*?)\1/u.exec(code)?.[2] ?? null
}

/** A number that is given to listen() or named PORT; a variable that may be set from outside is none. */
function portIn(code: string): number | undefined {
  const found = /\.listen\(\s*(\d+)/u.exec(code) ?? /^PORT\s*=\s*(\d+)/mu.exec(code) ?? /\bport\s*=\s*(\d+)/u.exec(code)
  return found ? Number(found[1]) : undefined
}
