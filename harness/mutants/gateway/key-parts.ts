import type { KeyStore } from '../../gateway/keys/store.ts'
import { apiKey } from '../../gateway/policies/api-key-inbound.ts'
import type { Inbound, KeyDirectory, PolicyContext, PolicyKind, Services } from '../../gateway/policy.ts'
import type { GatewayRequest } from '../../gateway/request.ts'
import type { GatewaySteps } from '../../gateway/steps.ts'
import type { GatewayFlaw } from '../../targets/embedded-gateway.ts'

/** A flaw made of steps. */
export const stepping = (make: () => Partial<GatewaySteps>) => (): GatewayFlaw => ({ options: { steps: make() } })

/** A flaw in how keys are found. */
export const finding = (make: (keys: KeyDirectory) => KeyDirectory['find']) => (): GatewayFlaw => ({
  options: {
    adapt: (services: Services) => ({
      ...services,
      keys: { silentMs: services.keys.silentMs, find: make(services.keys) },
    }),
  },
})

/** A flaw of the store of keys. */
export const storing = (make: (keys: KeyStore) => Partial<KeyStore>) => (): GatewayFlaw => ({
  options: { wrap: { keys: (made) => ({ ...made, ...make(made) }) } },
})

/** A kind of policy that does something around what the reference does. */
export function around(kind: PolicyKind, wrap: (inner: Inbound, context: PolicyContext) => Inbound): PolicyKind {
  return { ...kind, create: (options, context) => wrap(kind.create(options, context), context) }
}

/** A flaw of the policy that asks for a key. */
export const asking = (wrap: (inner: Inbound, context: PolicyContext) => Inbound) => (): GatewayFlaw => ({
  kinds: [around(apiKey, wrap)],
})

/** The keys of a request, as its Authorization lines have them. */
export function presented({ headers }: Pick<GatewayRequest, 'headers'>): readonly string[] {
  return headers.all('authorization').map(keyIn)
}

/** The key in a line. */
export function keyIn(line: string): string {
  return line.replace(/^Bearer +/iu, '')
}

/** A copy of flat lines with every value changed; undefined leaves the line out. */
export function mapped(
  lines: readonly string[],
  change: (name: string, value: string) => string | undefined,
): string[] {
  const changed: string[] = []
  for (let at = 0; at + 1 < lines.length; at += 2) {
    const [name = '', value = ''] = lines.slice(at, at + 2)
    const due = change(name.toLowerCase(), value)
    if (due !== undefined) changed.push(name, due)
  }
  return changed
}

/** Value of the first of these flat lines with that name. */
export function valueIn(lines: readonly string[], name: string): string | undefined {
  const at = lines.findIndex((line, index) => index % 2 === 0 && line.toLowerCase() === name)
  return at < 0 ? undefined : lines[at + 1]
}
