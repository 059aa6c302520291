import { AsyncLocalStorage } from 'node:async_hooks'
import type { Services } from '../policy.ts'
import type { GatewayRequest } from '../request.ts'
import { Misuse } from './misuse.ts'

/** What the code of a project runs in: its own gateway, also where several run in one process. */
export interface Scope extends Pick<Services, 'clock' | 'report' | 'tokens'> {
  /** The request that the code is called for. */
  readonly request: GatewayRequest
}

/** The scope of the code that runs at the moment. */
export const scopes = new AsyncLocalStorage<Scope>()

/** The scope; throws outside of the handling of a request. */
export function currentScope(): Scope {
  const scope = scopes.getStore()
  if (scope) return scope
  throw new Misuse('This is there while a policy handles a request, and not before')
}
