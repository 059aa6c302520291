import { AsyncLocalStorage } from 'node:async_hooks'
import type { OperatorEvent, TokenService } from '../policy.ts'
import type { GatewayRequest } from '../request.ts'

/** What the code of a project runs in: its own gateway, also where several run in one process. */
export interface Scope {
  /** Undefined where the project registers no JWT service. */
  readonly tokens: TokenService | undefined
  /** The request that the code is called for. */
  readonly request: GatewayRequest
  readonly report: (event: OperatorEvent) => void
}

/** The scope of the code that runs at the moment. */
export const scopes = new AsyncLocalStorage<Scope>()

/** The scope, or an error that says when there is one. */
export function currentScope(what: string): Scope {
  const scope = scopes.getStore()
  if (scope) return scope
  throw new Error(`${what} is there while a policy handles a request, and not before`)
}
