import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import https from 'node:https'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { startFront } from './front.ts'

const HOST = 'gateway.invalid'

test('a host is answered for at the address itself, by an authority that everybody may read', async () => {
  const front = await startFront({
    hosts: [HOST],
    handle: (request, response) => response.end(request.headers.host),
    listen: '127.0.0.1',
  })
  const ca = readFileSync(front.environment['SSL_CERT_FILE'] ?? '')
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { host: '127.0.0.1', port: front.port, servername: HOST, headers: { host: HOST }, ca, agent: false }
    https.get(options, resolve).once('error', reject)
  })

  expect(await text(answer)).toBe(HOST)
  expect(front.connects()).toBe(1)
  const files = readdirSync(front.folder)
  expect(files.map((name) => readFileSync(path.join(front.folder, name), 'latin1')).join('')).not.toContain('PRIVATE')
  expect(statSync(front.folder).mode & 0o777).toBe(0o755)
  await front[Symbol.asyncDispose]()
  expect(existsSync(front.folder)).toBe(false)
})
