import type { OriginProfile } from '../model/profile.ts'
import type { Target } from './target.ts'

/** Whatever listens at the URL; it is neither started nor stopped. */
export function urlTarget(url: string, profile: OriginProfile = {}): Target {
  return { kind: 'url', url, profile, expected: [], [Symbol.asyncDispose]: () => Promise.resolve() }
}
