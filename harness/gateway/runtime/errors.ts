/** What RuntimeError can be made of besides a text. */
export interface RuntimeErrorInfo {
  readonly message: string
  readonly extensionMembers?: Readonly<Record<string, unknown>>
}

/** An error of the project's code; a request that it ends is answered with 500, and nothing of it is told. */
export class RuntimeError extends Error {
  override readonly name: string = 'RuntimeError'
  readonly extensionMembers: Readonly<Record<string, unknown>> | undefined

  constructor(info: string | RuntimeErrorInfo, options?: ErrorOptions) {
    super(typeof info === 'string' ? info : info.message, options)
    this.extensionMembers = typeof info === 'string' ? undefined : info.extensionMembers
  }
}

/** The project is not configured as its code needs it. */
export class ConfigurationError extends RuntimeError {
  override readonly name = 'ConfigurationError'
}
