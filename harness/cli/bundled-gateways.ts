import { usage } from './args.ts'
import type { GatewayTarget, GatewayTargetSettings } from '../targets/gateway-target.ts'

/** Gateways that are not ours and that a run can start by name. */
export function bundledGateways(): readonly { readonly name: string }[] {
  return []
}

/** Starts one of them; `note` is told what takes long. */
export function startGatewayNamed(
  name: string,
  _settings: GatewayTargetSettings,
  _note: (line: string) => void,
): Promise<GatewayTarget> {
  throw usage('There is no such gateway', { flag: '--gateway', given: name, instead: 'the URL of a gateway' })
}
