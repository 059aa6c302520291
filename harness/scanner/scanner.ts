import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { KeyListAnswer, OwnMatch, ScannerBench, ScannerKey } from '../model/scanner.ts'

/** A secret scanner that runs: everything but the posting of alerts, which is the bench's. */
export interface Scanner extends Omit<ScannerBench, 'post' | 'bodyOf'>, AsyncDisposable {
  /** URL of the list of public keys. */
  readonly keyListUrl: string
  /** JSON of the matches; those without a type have this one. */
  readonly bodyOf: (type: string, matches: readonly OwnMatch[]) => string
}

interface Held {
  readonly identifier: string
  readonly privateKey: KeyObject
  readonly pem: string
}

/** Starts a scanner whose list has one key. */
export async function startScanner(port = 0): Promise<Scanner> {
  const held = new Map<string, Held>()
  const published = new Set<string>()
  const scripts: { readonly answer: KeyListAnswer; served: number }[] = []
  let fetches = 0

  const newKey = (): ScannerKey => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
    const identifier = createHash('sha256').update(pem).digest('hex')
    held.set(identifier, { identifier, privateKey, pem })
    return {
      identifier,
      sign: (octets) => sign('sha256', Buffer.from(octets), privateKey).toString('base64'),
    }
  }
  const key = newKey()
  published.add(key.identifier)

  const server = http.createServer((request, response) => {
    fetches += 1
    request.resume()
    const script = scripts.at(-1)
    if (script) script.served += 1
    const { status = 200, body, fault } = script?.answer ?? {}
    if (fault === 'hang') return
    if (fault === 'reset') {
      request.socket.resetAndDestroy()
      return
    }
    const keys = [...published].map((identifier) => ({
      key_identifier: identifier,
      key: held.get(identifier)?.pem,
      is_current: true,
    }))
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(body ?? JSON.stringify({ public_keys: keys }))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    keyListUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/meta/public_keys/secret_scanning`,
    key,
    newKey,
    publish: ({ identifier }) => {
      published.add(identifier)
    },
    serve(answer) {
      const script = { answer, served: 0 }
      scripts.push(script)
      return {
        served: () => script.served,
        [Symbol.dispose]() {
          const at = scripts.indexOf(script)
          if (at >= 0) scripts.splice(at, 1)
        },
      }
    },
    fetches: () => fetches,
    bodyOf: (type, matches) => JSON.stringify(matches.map((match) => ({ type, url: '', source: 'content', ...match }))),
    headersFor: (body, by = key) => [
      ['Github-Public-Key-Identifier', by.identifier],
      ['Github-Public-Key-Signature', by.sign(body)],
    ],
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => {
        server.close(resolve)
      })
      server.closeAllConnections()
      await closed
    },
  }
}
