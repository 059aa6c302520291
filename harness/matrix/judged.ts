import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { GATEWAY_SUITES, SUITES } from '../../suites/catalog.ts'
import type { Report } from '../model/result.ts'
import { runGateway } from '../runner/gateway-run.ts'
import { runOrigin } from '../runner/run.ts'
import { startBundled } from '../targets/bundled.ts'
import { embeddedGateway } from '../targets/embedded-gateway.ts'
import { embeddedTarget } from '../targets/embedded.ts'
import type { GatewayTarget, GatewayTargetSettings } from '../targets/gateway-target.ts'
import type { Target, TargetSettings } from '../targets/target.ts'
import { startThirdParty } from '../targets/third-party.ts'

type Note = (line: string) => void

/** Runs every case against a sample origin. */
export async function judgedOrigin(name: string, note: Note, signal = new AbortController().signal): Promise<Report> {
  return await origin((settings) => startBundled(name, settings, note), signal)
}

/** Runs every case against a gateway of somebody else. */
export async function judgedGateway(name: string, note: Note, signal = new AbortController().signal): Promise<Report> {
  return await gateway((settings) => startThirdParty(name, settings, note), signal)
}

/** Runs every case against a reference. */
export async function judgedReference(subject: 'origin' | 'gateway', signal: AbortSignal): Promise<Report> {
  return await (subject === 'origin' ? origin(embeddedTarget, signal) : gateway(embeddedGateway, signal))
}

const COMMON = {
  select: {},
  profile: {},
  seed: 1,
  deadlineMs: 5_000,
  on: () => undefined,
} as const

function origin(start: (settings: TargetSettings) => Promise<Target>, signal: AbortSignal): Promise<Report> {
  const control = { kind: 'issuer', keys: embeddedKeys(), port: 0 } as const
  return runOrigin({ ...COMMON, suites: SUITES, start, control, signal })
}

function gateway(start: (told: GatewayTargetSettings) => Promise<GatewayTarget>, signal: AbortSignal): Promise<Report> {
  return runGateway({ ...COMMON, suites: GATEWAY_SUITES, start, signal })
}
