import type { MovableClock } from '../clock/clock.ts'
import type { Target } from './target.ts'

/** Whatever listens at the URL; it is neither started nor stopped. `clock` is a hook that it offers. */
export function urlTarget(url: string, clock?: MovableClock): Target {
  return {
    kind: 'url',
    url,
    profile: {},
    expected: [],
    ...(clock ? { clock } : {}),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
