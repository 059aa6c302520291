import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { defineOrigin } from '../config/define.ts'
import { runBeside } from './beside.ts'
import { describeConformance } from './index.ts'

describeConformance(defineOrigin({}), { name: 'the embedded reference origin', suites: ['claims', 'challenge'] })

const COMMON = { select: { cases: ['control-valid'] }, seed: 1, deadlineMs: 2_000, behaviour: false }
const { signal } = new AbortController()

test('mistakes in a target, a suite or the gate are told where tests are collected, in a sentence', () => {
  const wrong = { url: 'http://127.0.0.1:1/', audience: 7 } as never
  expect(() => {
    describeConformance(wrong)
  }).toThrow(
    /ERR_PROFILE_INVALID: The configuration is wrong \(where the target of describeConformance, member audience/u,
  )
  expect(() => {
    describeConformance('http://127.0.0.1:1/', { suites: ['claim'] })
  }).toThrow(/ERR_USAGE: There is no such suite \(suite claim\); instead: origin\/claims/u)
  expect(() => {
    describeConformance('http://127.0.0.1:1/', { edition: '1999.1' })
  }).toThrow(/ERR_USAGE: There is no such edition/u)
})

test('an origin that does not answer, or has a public address, is no verdict', async () => {
  await expect(runBeside({ url: 'http://127.0.0.1:1/' }, COMMON, signal)).rejects.toMatchObject({
    code: 'ERR_TARGET_UNREACHABLE',
  })
  await expect(runBeside({ url: 'http://192.0.2.1/' }, COMMON, signal)).rejects.toMatchObject({
    code: 'ERR_TARGET_NOT_ALLOWED',
  })
})

test('what fails in the code of the user is what is thrown', async () => {
  const error = new Error('The database is down')
  const url = (): Promise<string> => Promise.reject(error)
  await expect(runBeside({ url }, COMMON, signal)).rejects.toBe(error)
})

test('a token of the real issuer is a control, and stands in no report', async () => {
  const part = (content: object): string => Buffer.from(JSON.stringify(content)).toString('base64url')
  const payload = { sub: 'one', exp: Math.floor(Date.now() / 1000) + 600 }
  const token = `${part({ alg: 'RS256', kid: 'k' })}.${part(payload)}.${Buffer.alloc(256, 7).toString('base64url')}`
  const server = createServer((request, response) => {
    response.statusCode = request.headers.authorization === undefined ? 401 : 200
    response.end(request.headers.authorization)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const common = { ...COMMON, select: { cases: ['control-valid', 'tampered'] } }
  const { cases } = await runBeside({ url, realToken: () => token }, common, signal)
  expect(cases.map(({ verdict }) => verdict)).toEqual(['pass', 'fail-open'])
  expect(JSON.stringify(cases)).not.toContain(token)
})
