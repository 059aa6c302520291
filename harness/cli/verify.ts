import { readFileSync, statSync } from 'node:fs'
import { readEnvelope } from '../evidence/envelope.ts'
import { trustedKeyOf } from '../evidence/keys.ts'
import { verifyEnvelope } from '../evidence/verify.ts'
import type { Demands } from '../evidence/verify.ts'
import { EXIT } from '../model/verdict.ts'
import type { ExitCode } from '../model/verdict.ts'
import { paint } from '../report/text.ts'
import type { Style } from '../report/text.ts'
import { listOf, textOf, usage, valuesOf } from './args.ts'
import type { Given } from './args.ts'
import { artefactNamed } from './evidence.ts'

/** Largest envelope that is read, octets; one about all cases has some 60 kB. */
const LARGEST = 16 * 2 ** 20

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Judges a statement, a line for each claim; `nonconformity` where one does not hold. */
export function verifyCommand(given: Given, style: Style, print: (text: string) => void): ExitCode {
  const [file, ...more] = given.positionals
  if (file === undefined || more.length > 0) {
    throw usage('One statement is verified', {
      given: given.positionals.length,
      instead: 'trustspec verify FILE --key PUB.pem',
    })
  }
  const envelope = readEnvelope(contentOf(file, 'a file that "trustspec run --evidence FILE" wrote'))
  if (typeof envelope === 'string') {
    throw usage('The file is no DSSE envelope', {
      file,
      given: envelope,
      instead: 'a file that "trustspec run --evidence FILE" wrote',
    })
  }
  const demands = demandsOf(given)
  const claims = verifyEnvelope(envelope, demands, Date.now())
  for (const { name, holds, says } of claims) {
    const verdict = paint(style, holds ? 'green' : ['bold', 'red'], holds ? 'holds' : 'fails')
    print(`${verdict}  ${name.padEnd(9)}  ${says}\n`)
  }
  const isGood = claims.every(({ holds }) => holds)
  if (isGood && demands.artefacts.length === 0 && !demands.report) {
    print('No --subject was asked for: nothing ties this result to what you release.\n')
  }
  return isGood ? EXIT.conforms : EXIT.nonconformity
}

function demandsOf(given: Given): Demands {
  const files = valuesOf(given, 'key')
  if (files.length === 0) {
    throw usage('There is no key to verify with', { flag: '--key', instead: '--key PUB.pem, the public key' })
  }
  const report = textOf(given, 'report')
  const edition = textOf(given, 'edition')
  const maxAge = durationOf(given)
  const require = listOf(given, 'require') ?? ['pass']
  const odd = require.find((what) => !['pass', 'judged'].includes(what) && !/^[\w-]+(\/[\w-]+){2}$/u.test(what))
  if (odd !== undefined || require.length === 0) {
    throw usage('There is no such requirement', {
      flag: '--require',
      given: odd ?? '(nothing)',
      instead: 'pass, judged, or full ids such as origin/claims/iss-wrong',
    })
  }
  return {
    keys: files.map((file) => ({ file, ...keyIn(file) })),
    artefacts: valuesOf(given, 'subject').map(artefactNamed),
    ...(report === undefined ? {} : { report: contentOf(report, 'a file that "trustspec run --json FILE" wrote') }),
    ...(edition === undefined ? {} : { edition }),
    ...(maxAge === undefined ? {} : { maxAge }),
    require,
  }
}

function keyIn(file: string) {
  const instead = 'one public key as PEM, such as "openssl pkey -in KEY.pem -pubout -out PUB.pem" makes'
  const key = trustedKeyOf(contentOf(file, instead).toString('utf8'))
  if (typeof key !== 'string') return key
  throw usage('The key cannot verify evidence', { flag: '--key', file, given: key, instead })
}

function durationOf(given: Given): number | undefined {
  const text = textOf(given, 'max-age')
  if (text === undefined) return undefined
  const [, number = '', unit = ''] = /^(\d{1,6})([smhd])$/u.exec(text) ?? []
  const unitMs = UNITS[unit]
  if (unitMs !== undefined) return Number(number) * unitMs
  throw usage('The value is no duration', { flag: '--max-age', given: text, instead: 'such as 90m, 24h or 7d' })
}

function contentOf(file: string, instead: string): Buffer {
  try {
    if (statSync(file).size > LARGEST) throw new Error('Too large')
    return readFileSync(file)
  } catch (error) {
    throw usage('The file cannot be read', { file, instead }, error)
  }
}
