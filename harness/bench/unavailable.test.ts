import { expect, test } from 'vitest'
import { judge } from '../mutants/matrix.ts'
import { createJwksClient, strictJwksParts } from '../origin/jwks-client.ts'
import { referenceSteps } from '../origin/server.ts'
import { isRefusal } from '../origin/steps.ts'
import type { Steps } from '../origin/steps.ts'
import { embeddedTarget } from '../targets/embedded.ts'

/** The reference origin, but that it says 503 of a key that it cannot find while the JWKS cannot be had. */
function honest(): Partial<Steps> {
  let isAway = false
  return {
    createJwks: (options) =>
      createJwksClient(options, {
        async fetchSet(given, etag) {
          isAway = true
          const fetched = await strictJwksParts.fetchSet(given, etag)
          isAway = false
          return fetched
        },
      }),
    async findKey(parsed, context) {
      const found = await referenceSteps.findKey(parsed, context)
      return isAway && isRefusal(found) ? { status: 503 } : found
    },
  }
}

test('503 for an unknown kid while the JWKS cannot be had is no finding', { timeout: 60_000 }, async () => {
  const { cases } = await judge((settings) => embeddedTarget(settings, honest))

  expect(cases.filter(({ verdict }) => !['pass', 'info'].includes(verdict)).map(({ id }) => id)).toEqual([])
})
