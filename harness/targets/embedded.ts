import { movableClock } from '../clock/clock.ts'
import { REFERENCE_PROFILE } from '../origin/profile.ts'
import { startReferenceOrigin } from '../origin/server.ts'
import type { Steps } from '../origin/steps.ts'
import type { Target, TargetSettings } from './target.ts'

/** The reference origin in this process, with a clock that can be moved; `makeSteps` makes a mutant of every start. */
export async function embeddedTarget(
  { issuer, jwksUrl }: TargetSettings,
  makeSteps: () => Partial<Steps> = () => ({}),
): Promise<Target> {
  const clock = movableClock()
  const { audience } = REFERENCE_PROFILE
  const deaths: string[] = []
  const onDeath = (reason: string): void => {
    deaths.push(reason)
  }
  const start = (port: number) =>
    startReferenceOrigin({ issuer, jwksUrl, audience, profile: REFERENCE_PROFILE, clock, port, onDeath }, makeSteps())
  let origin = await start(0)
  const { url } = origin
  return {
    kind: 'embedded',
    url: `${url}/protected`,
    profile: REFERENCE_PROFILE,
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
