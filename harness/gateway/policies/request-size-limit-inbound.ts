import { flag, wholeFrom } from '../options.ts'
import type { PolicyKind } from '../policy.ts'
import { problem } from '../reply.ts'

/** Bounds the body of a request: at once where its length is announced, in mid-stream where it is not. */
export const requestSizeLimitInbound: PolicyKind = {
  type: 'request-size-limit-inbound',
  exported: 'RequestSizeLimitInboundPolicy',
  options: {
    // With trustContentLengthHeader the length alone would be looked at. An announced length is the length, by the
    // framing of HTTP/1.1, and a body without one is measured in either case: to trust it would be no limit.
    known: { maxSizeInBytes: wholeFrom(0), trustContentLengthHeader: flag },
    required: ['maxSizeInBytes'],
  },
  create({ maxSizeInBytes }) {
    const most = Number(maxSizeInBytes)
    return (request) => {
      if ((request.contentLength ?? 0) > most) {
        return problem(413, { detail: `The body may have ${most} octets at most`, close: true })
      }
      request.bodyLimit = Math.min(request.bodyLimit ?? most, most)
      return undefined
    }
  },
}
