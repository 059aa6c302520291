import type { IncomingMessage } from 'node:http'
import type { Refusal } from './steps.ts'

/** `Bearer`, one space or more, b64token (RFC 6750 section 2.1); the scheme is case-insensitive. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/iu

/** The token of the one Authorization line; no other place counts. */
export function readCredential(request: IncomingMessage): string | Refusal {
  const lines = headerLines(request, 'authorization')
  const [line] = lines
  if (line === undefined) return { status: 401 }
  if (lines.length > 1) return { status: 400, error: 'invalid_request' }
  const token = BEARER.exec(line)?.[1]
  return token ?? { status: 401, error: 'invalid_token' }
}

/** Every value of a header in wire order: what Node joins or drops is kept apart. */
export function headerLines({ rawHeaders }: IncomingMessage, name: string): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name)
}
