import { movableClock } from '../clock/clock.ts'
import { REFERENCE_PROFILE } from '../origin/profile.ts'
import { startReferenceOrigin } from '../origin/server.ts'
import type { Steps } from '../origin/steps.ts'
import type { Target, TargetSettings } from './target.ts'

/** The reference origin in this process, with a clock that can be moved; `steps` makes a mutant of it. */
export async function embeddedTarget(settings: TargetSettings, steps: Partial<Steps> = {}): Promise<Target> {
  const clock = movableClock()
  const { issuer, jwksUrl } = settings
  const { audience } = REFERENCE_PROFILE
  const origin = await startReferenceOrigin(
    { issuer, jwksUrl, audience, profile: REFERENCE_PROFILE, clock, port: 0 },
    steps,
  )
  return {
    kind: 'embedded',
    url: `${origin.url}/protected`,
    profile: REFERENCE_PROFILE,
    expected: [],
    clock,
    [Symbol.asyncDispose]: () => origin[Symbol.asyncDispose](),
  }
}
