import type { IncomingMessage } from 'node:http'
import { octets, segmentsOf } from '../model/compact.ts'
import type { JsonObject } from '../model/json.ts'
import { headersOf, send } from '../origin/answer.ts'
import { headerLines } from '../origin/credential.ts'
import { referenceSteps } from '../origin/server.ts'
import { isRefusal } from '../origin/steps.ts'
import type { Outcome, Steps } from '../origin/steps.ts'
import type { Mutant } from './mutant.ts'

/** The answer step with other headers or another body for refusals. */
function refusing(
  change: (
    outcome: Outcome & { refusal: object },
    request: IncomingMessage,
  ) => {
    readonly status?: number
    readonly headers?: Record<string, string>
    readonly body?: object
  },
): Partial<Steps> {
  return {
    answer(outcome, request, response) {
      if (!('refusal' in outcome)) {
        referenceSteps.answer(outcome, request, response)
        return
      }
      const { refusal } = outcome
      const { status = refusal.status, headers = headersOf(refusal), body = {} } = change(outcome, request)
      send(response, status, headers, body)
    },
  }
}

/** Findings about where the token travels and how refusals are put. */
export const challengeMutants: readonly Mutant[] = [
  {
    id: 'O89',
    flaw: 'answers 401 without WWW-Authenticate',
    steps: () => refusing(() => ({ headers: {} })),
    kills: [
      'origin/claims/scope-insufficient',
      'origin/challenge/www-authenticate',
      'origin/challenge/bearer-error-codes',
    ],
  },
  {
    id: 'O90',
    flaw: 'always says invalid_token, also without credentials',
    steps: () => refusing(() => ({ headers: { 'www-authenticate': 'Bearer error="invalid_token"' } })),
    kills: ['origin/claims/scope-insufficient', 'origin/challenge/bearer-error-codes'],
  },
  {
    id: 'O91',
    flaw: 'puts the stack and the token into the body of a refusal',
    steps: () =>
      refusing((_, request) => ({
        body: { stack: new Error('Refused').stack, token: request.headers.authorization },
      })),
    kills: ['origin/challenge/no-detail-leak'],
  },
  {
    id: 'O92',
    flaw: 'takes the token after any scheme, and without one',
    steps: () => ({
      readCredential(request) {
        const strict = referenceSteps.readCredential(request)
        const lines = headerLines(request, 'authorization')
        const token = lines[0]?.trim().split(' ').at(-1)
        const isJwt = token !== undefined && lines.length === 1 && /^[\w-]+\.[\w-]+\.[\w-]+$/u.test(token)
        return isRefusal(strict) && isJwt ? token : strict
      },
    }),
    kills: ['origin/challenge/auth-scheme'],
  },
  {
    id: 'O93',
    flaw: 'verifies the first Authorization line and takes the identity from the last',
    steps: () => ({
      readCredential(request) {
        const lines = headerLines(request, 'authorization')
        return lines.length < 2 ? referenceSteps.readCredential(request) : (lines[0] ?? '').replace(/^Bearer +/iu, '')
      },
      answer(outcome, request, response) {
        const last = headerLines(request, 'authorization')
          .at(-1)
          ?.replace(/^Bearer +/iu, '')
        const claims = 'claims' in outcome && last !== undefined ? claimsOf(last) : undefined
        referenceSteps.answer(claims ? { claims } : outcome, request, response)
      },
    }),
    kills: ['origin/challenge/two-credentials'],
  },
  {
    id: 'O94',
    flaw: 'reads the token from the query, a cookie, the body and other headers too',
    steps: () => ({
      async readCredential(request) {
        const { cookie, authorization, 'x-access-token': other, 'proxy-authorization': proxy } = request.headers
        const query = /access_token=([^&\s]+)/u.exec(request.url ?? '')?.[1]
        const kept = /=([\w-]+\.[\w-]+\.[\w-]+)/u.exec(cookie ?? '')?.[1]
        if (authorization !== undefined) return await referenceSteps.readCredential(request)
        const elsewhere =
          query ?? kept ?? (typeof other === 'string' ? other : undefined) ?? proxy?.replace(/^Bearer +/iu, '')
        return elsewhere ?? /access_token=([^&\s]+)/u.exec(await bodyOf(request))?.[1] ?? { status: 401 }
      },
    }),
    kills: ['origin/challenge/undeclared-location'],
  },
  {
    id: 'O95',
    flaw: 'lets shared caches store authorised answers',
    steps: () => ({
      answer(outcome, request, response) {
        const writeHead = response.writeHead.bind(response)
        response.writeHead = ((status: number, headers: Record<string, string>) =>
          writeHead(
            status,
            'claims' in outcome ? { ...headers, 'cache-control': 'public, max-age=60' } : headers,
          )) as never
        referenceSteps.answer(outcome, request, response)
      },
    }),
    kills: ['origin/challenge/shared-cache-safe'],
  },
]

function claimsOf(compact: string): JsonObject | undefined {
  try {
    return JSON.parse(Buffer.from(octets(segmentsOf(compact).payload)).toString()) as JsonObject
  } catch {
    return undefined
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
