import { HOP_BY_HOP } from '../clean.ts'
import type { Reply } from '../reply.ts'
import { Misuse } from './misuse.ts'

/** What is said of the octets as they came: `fetch` has decoded them, and the gateway frames them anew. */
const OF_OCTETS: ReadonlySet<string> = new Set(['content-length', 'content-encoding'])

/** An answer of the project's code, as the gateway gives it: a text, framed anew. */
export async function replyOfResponse(response: Response): Promise<Reply> {
  const { status, headers } = response
  if (status < 200) throw new Misuse('A policy answered with a response that is none')
  const kept = [...headers].filter(([name]) => !HOP_BY_HOP.has(name) && !OF_OCTETS.has(name))
  return { status, headers: kept, body: await response.text() }
}
