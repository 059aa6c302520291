import { embeddedKeys } from '../../../fixtures/keys/keys.ts'
import { MEASUREMENTS } from '../../../suites/behaviour/measurements.ts'
import { GATEWAY_SUITES, SUITES } from '../../../suites/catalog.ts'
import { loadProject } from '../../gateway/config/project.ts'
import { startGateway } from '../../gateway/gateway.ts'
import { DEFAULT_BUCKET } from '../../gateway/keys/store.ts'
import type { IssuerNames } from '../../issuer/server.ts'
import type { GatewayProfile } from '../../model/gateway-profile.ts'
import type { OriginProfile } from '../../model/profile.ts'
import type { Report } from '../../model/result.ts'
import { runGateway } from '../../runner/gateway-run.ts'
import { runOrigin } from '../../runner/run.ts'
import { ROUTE } from '../world.ts'
import type { Launcher, Program } from './launch.ts'

/** What is common to all runs of the tutorial. */
const COMMON = {
  seed: 1,
  deadlineMs: 5_000,
  profile: {},
  on: () => undefined,
}

/** An origin, and what is asked of it. */
export interface OriginQuestion {
  readonly program: Program
  /** URLs of the issuer that stand in its code: the run answers for their host. */
  readonly known?: IssuerNames
  /** What it declares. */
  readonly profile: OriginProfile
  /** Full ids; default: all. */
  readonly cases?: readonly string[]
  /** Names of what is measured besides. */
  readonly measured?: readonly string[]
}

/** What the suites say of the origin, which trusts the issuer of the run. */
export async function judgeOrigin(
  launcher: Launcher,
  { program, known, profile, cases, measured = [] }: OriginQuestion,
  signal: AbortSignal,
): Promise<Report> {
  await using place = await launcher()
  return await runOrigin({
    ...COMMON,
    suites: SUITES,
    select: cases ? { cases } : {},
    measurements: MEASUREMENTS.filter(({ name }) => measured.includes(name)),
    start: (settings) => place.start(program, profile, settings),
    control: { kind: 'issuer', keys: embeddedKeys(), port: 0, ...(known ? { known } : {}) },
    ...(place.reach ? { reach: place.reach } : {}),
    signal,
  })
}

/** What these cases say of the gateway over a project, which forwards to the capture origin of the run. */
export async function judgeGateway(
  project: string,
  profile: GatewayProfile,
  signal: AbortSignal,
  cases: readonly string[],
): Promise<Report> {
  return await runGateway({
    ...COMMON,
    suites: GATEWAY_SUITES,
    select: { cases },
    signal,
    async start({ capture }) {
      const gateway = await startGateway({
        project: await loadProject(project, { ...process.env, ORIGIN_URL: capture }),
        state: { kind: 'memory' },
        clock: { nowMs: Date.now },
        host: '127.0.0.1',
        port: 0,
        keyPrefix: 'tsk',
        trustedProxies: [],
        events: { write: () => undefined },
      })
      const issuer = gateway.tokens?.issuer
      return {
        kind: 'embedded',
        url: `${gateway.url}${ROUTE}`,
        profile: {
          routes: [{ path: ROUTE, methods: ['GET'] }],
          ...(issuer === undefined ? {} : { issuer, jwksUrl: `${issuer}/.well-known/jwks.json` }),
          ...profile,
        },
        expected: [],
        captured: true,
        hooks: {
          async issueKey() {
            const consumer = `consumer-${crypto.randomUUID()}`
            await gateway.keys.createConsumer(DEFAULT_BUCKET, consumer, {})
            const { key } = await gateway.keys.createKey(DEFAULT_BUCKET, consumer)
            return { key, consumer, subject: consumer }
          },
        },
        [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
      }
    },
  })
}
