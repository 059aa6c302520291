/** Every error that trustspec raises on purpose; tells by code what to do, never by text. */
export type ErrorCode =
  | 'ERR_USAGE'
  | 'ERR_PROFILE_INVALID'
  | 'ERR_NOTHING_SELECTED'
  | 'ERR_TARGET_UNREACHABLE'
  | 'ERR_TARGET_DID_NOT_START'
  | 'ERR_TARGET_NOT_ALLOWED'
  | 'ERR_PORT_IN_USE'
  | 'ERR_RUNTIME_MISSING'
  | 'ERR_DOCKER_MISSING'
  | 'ERR_INSTALL_FAILED'
  | 'ERR_BUDGET_SPENT'
  | 'ERR_NOT_ATTESTABLE'
  | 'ERR_GATEWAY_PROJECT'
  | 'ERR_HARNESS'

/**
 * An error with a code and constant message; what varies is in `fields`, which never hold a credential.
 * `ERR_HARNESS` ends with exit code 3, every other code with 2.
 */
export class TrustspecError extends Error {
  override readonly name = 'TrustspecError'
  readonly code: ErrorCode
  /** What was wrong, where, and what to write instead: printed behind the message as one sentence. */
  readonly fields: Readonly<Record<string, string | number>>

  constructor(
    code: ErrorCode,
    message: string,
    fields: Readonly<Record<string, string | number>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.code = code
    this.fields = fields
  }
}

/** One sentence: what is wrong, where, and what to write instead. */
export function sentence({ message, fields }: TrustspecError): string {
  const { instead, ...where } = fields
  const details = Object.entries(where).map(([name, value]) => `${name} ${value}`)
  const place = details.length === 0 ? '' : ` (${details.join(', ')})`
  return `${message}${place}${instead === undefined ? '' : `; instead: ${instead}`}.`
}

/** Raised inside a case when a guard was not established: the verdict is `inconclusive`, never `pass`. */
export class Inconclusive extends Error {
  override readonly name = 'Inconclusive'
}

/** Raised inside a case that finds it cannot be judged here: the verdict is `skip`, with the reason. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable'
}
