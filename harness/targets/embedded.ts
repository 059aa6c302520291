import { movableClock } from '../clock/clock.ts'
import { CHAINED_PROFILE, REFERENCE_PROFILE } from '../origin/profile.ts'
import { startReferenceOrigin } from '../origin/server.ts'
import type { Steps } from '../origin/steps.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { Target, TargetSettings } from './target.ts'

/** How the reference origin differs from the one that is under test by itself. */
export interface EmbeddedOrigin {
  readonly profile: OriginProfile & { readonly audience: string }
  /** Path of the default route. */
  readonly path: string
}

/** The reference origin as it stands behind the reference gateway. */
export const CHAINED: EmbeddedOrigin = { profile: CHAINED_PROFILE, path: '/orders' }

/** The reference origin in this process, with a clock that can be moved; `makeSteps` makes a mutant of every start. */
export async function embeddedTarget(
  { issuer, jwksUrl }: TargetSettings,
  makeSteps: () => Partial<Steps> = () => ({}),
  { profile, path }: EmbeddedOrigin = { profile: REFERENCE_PROFILE, path: '/protected' },
): Promise<Target> {
  const clock = movableClock()
  const { audience } = profile
  const deaths: string[] = []
  const onDeath = (reason: string): void => {
    deaths.push(reason)
  }
  const start = (port: number) =>
    startReferenceOrigin({ issuer, jwksUrl, audience, profile, clock, port, onDeath }, makeSteps())
  let origin = await start(0)
  const { url } = origin
  return {
    kind: 'embedded',
    url: `${url}${path}`,
    profile,
    expected: [],
    clock,
    deaths: () => deaths,
    async restart() {
      await origin[Symbol.asyncDispose]()
      origin = await start(Number(new URL(url).port))
    },
    [Symbol.asyncDispose]: () => origin[Symbol.asyncDispose](),
  }
}
