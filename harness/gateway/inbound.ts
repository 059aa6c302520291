import type { Verdict } from './reply.ts'
import type { GatewayRequest } from './request.ts'
import type { Route } from './steps.ts'

/** Runs the policies in their order; waits only where one has to. The first that answers ends it. */
export function inbound(
  { policies }: Route,
  request: GatewayRequest,
): Verdict | undefined | Promise<Verdict | undefined> {
  for (const [at, policy] of policies.entries()) {
    const verdict = policy(request)
    if (verdict instanceof Promise) return rest(policies, at + 1, verdict, request)
    if (verdict !== undefined) return verdict
  }
  return undefined
}

async function rest(
  policies: Route['policies'],
  from: number,
  first: Promise<Verdict | undefined>,
  request: GatewayRequest,
): Promise<Verdict | undefined> {
  let verdict = await first
  for (let at = from; verdict === undefined && at < policies.length; at += 1) verdict = await policies[at]?.(request)
  return verdict
}
