import type { PolicyKind } from '../policy.ts'
import { takeOver, verdictOf, zuploContext, zuploRequest } from '../runtime/request.ts'
import { scopes } from '../runtime/scope.ts'

/** A function of the project's own. */
export type OwnFunction = (...args: readonly unknown[]) => unknown

/** A policy that is a function of the project: `(request, context, options, policyName)`. */
export const customCode = {
  type: 'custom-code-inbound',
  /** The kind of a policy that runs this function. Any options are the function's own business. */
  kindOf(run: OwnFunction): PolicyKind {
    return {
      type: 'custom-code-inbound',
      exported: run.name,
      options: { known: {} },
      create:
        (options, { name, tokens, report }) =>
        (request) =>
          scopes.run({ tokens, request, report }, async () => {
            const given = zuploRequest(request)
            const before = new Headers(given.headers)
            const result = await run(given, zuploContext(request), options, name)
            if (result instanceof Response) return await verdictOf(result)
            if (result instanceof Request) takeOver(request, before, result)
            else if (result === undefined) takeOver(request, before, given)
            else throw new TypeError(`The policy ${name} gave neither a request nor a response`)
            return undefined
          }),
    }
  },
} as const
