import type { Inbound, PolicyContext, PolicyKind } from '../policy.ts'
import { zuploContext } from '../runtime/context.ts'
import { Misuse } from '../runtime/misuse.ts'
import { takeOver, zuploRequest } from '../runtime/request.ts'
import { replyOfResponse } from '../runtime/response.ts'
import { scopes } from '../runtime/scope.ts'

/** A function of the project's own. */
export type OwnFunction = (...args: readonly unknown[]) => unknown

const TYPE = 'custom-code-inbound'

/** A policy that is a function of the project: `(request, context, options, policyName)`. */
export const customCode = {
  type: TYPE,
  /** The kind of a policy that runs this function. Any options are the function's own business. */
  kindOf: (run: OwnFunction): PolicyKind => ({
    type: TYPE,
    exported: run.name,
    options: { known: {} },
    create: (options, context) => createCustomCode(run, options, context),
  }),
} as const

function createCustomCode(
  run: OwnFunction,
  options: Readonly<Record<string, unknown>>,
  { name, clock, tokens, report }: PolicyContext,
): Inbound {
  return (request) =>
    scopes.run({ clock, tokens, report, request }, async () => {
      try {
        const given = zuploRequest(request)
        const before = new Headers(given.headers)
        const result = await run(given, zuploContext(request), options, name)
        if (result instanceof Response) return await replyOfResponse(result)
        // Code that gives nothing lets the request through as it is: so do many that are written for the documented gateway.
        if (result === undefined) takeOver(request, given, before, given)
        else if (result instanceof Request) takeOver(request, given, before, result)
        else throw new Misuse('A policy gave neither a request nor a response')
        return undefined
      } catch (error) {
        report({ event: 'custom-code-failed', policy: name, requestId: request.id, ...traceOf(error) })
        throw error
      }
    })
}

/** What the operator is told of an error: its message may hold anything, so that only our own are told in words. */
function traceOf(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof Error)) return { error: typeof error }
  if (error instanceof Misuse) return { error: error.message }
  const [, file, line] = /\/([\w.-]+)\?gateway=\d+:(\d+)/u.exec(error.stack ?? '') ?? []
  return { error: error.name, ...(file === undefined ? {} : { at: `${file}:${line}` }) }
}
