import { setTimeout as wait } from 'node:timers/promises'
import { PUBLISHED_ALGORITHMS } from '../model/token.ts'
import { loadKeys, defaultKeyFile } from '../issuer/keyfile.ts'
import { createMint } from '../issuer/mint.ts'
import { startIssuer } from '../issuer/server.ts'
import { numberOf, textOf, usage } from './args.ts'
import type { Given } from './args.ts'

/** Milliseconds between two looks at the journal. */
const LOOK_MS = 200

/** Runs the issuer alone until the signal, and prints a line for every request that it receives. */
export async function runIssuer(given: Given, print: (line: string) => void, signal: AbortSignal): Promise<void> {
  const algorithm = textOf(given, 'alg') ?? 'RS256'
  const role = PUBLISHED_ALGORITHMS.find((name) => name === algorithm)
  if (role === undefined) {
    throw usage('The issuer has no key for this algorithm', {
      flag: '--alg',
      given: algorithm,
      instead: PUBLISHED_ALGORITHMS.join(', '),
    })
  }
  const keys = await loadKeys(defaultKeyFile(process.env))
  await using issuer = await startIssuer({ keys, port: numberOf(given, 'port', 0, 65_535) ?? 0 })
  const main = keys.get(role)
  const iat = Math.floor(Date.now() / 1000)
  const aud = textOf(given, 'audience') ?? 'https://orders.example.com'
  const claims = { iss: issuer.issuer, aud, sub: 'consumer-one', iat, nbf: iat, exp: iat + 300, jti: `issuer-${iat}` }
  const base = () => ({ header: { alg: main.alg, kid: main.kid, typ: 'JWT' }, claims })
  const token = createMint({ keys, main, base, trusted: true })()
  print(`issuer     ${issuer.issuer}`)
  print(`JWKS URL   ${issuer.jwksUrl}`)
  print(`discovery  ${issuer.discoveryUrl}`)
  print(`audience   ${aud}`)
  print(`token      ${token.compact}`)
  let seen = 0
  while (!signal.aborted) {
    for (const { at, method, target, served, status, connection } of issuer.journal.entries.slice(seen)) {
      print(`${new Date(at).toISOString()}  ${method} ${target}  ${status} ${served}  connection ${connection}`)
    }
    seen = issuer.journal.entries.length
    await wait(LOOK_MS, undefined, { signal }).catch(() => {
      // The signal ends the loop.
    })
  }
}
