import { HOP_BY_HOP } from '../clean.ts'
import type { Reply } from '../reply.ts'
import { Misuse } from './misuse.ts'

/** An answer of the project's code, as the gateway gives it: a text, framed anew. */
export async function replyOfResponse(response: Response): Promise<Reply> {
  const { status, headers } = response
  if (status < 200) throw new Misuse('A policy answered with a response that is none')
  const kept = [...headers].filter(([name]) => !HOP_BY_HOP.has(name) && name !== 'content-length')
  return { status, headers: kept, body: await response.text() }
}
