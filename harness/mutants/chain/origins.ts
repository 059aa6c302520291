import { strictJwksParts } from '../../origin/jwks-client.ts'
import { referenceSteps } from '../../origin/server.ts'
import type { Outcome, Steps } from '../../origin/steps.ts'
import { judgeWith, strictRules } from '../../origin/claims.ts'
import { MUTANTS } from '../catalog.ts'
import { jwksWith } from '../rotation.ts'

/** The steps of a mutant of the origin that is tested by itself. */
export function stepsOf(id: `O${number}`): () => Partial<Steps> {
  const found = MUTANTS.find((mutant) => mutant.id === id)
  if (!found) throw new Error(`There is no mutant ${id} of the origin`)
  return found.steps
}

const ANYONE: Outcome = { claims: { sub: 'anyone' } }

/** The guard with an exception that is asked first. */
function unless(isLetIn: (...args: Parameters<Steps['guard']>) => boolean): () => Partial<Steps> {
  return () => ({
    guard: async (...args) => (isLetIn(...args) ? ANYONE : await referenceSteps.guard(...args)),
  })
}

/** O180: takes an API key of the gateway, wherever the gateway takes one. */
export const takesApiKeys = unless(
  ({ headers, url = '' }) => headers.authorization?.startsWith('Bearer tsk_') === true || url.includes('api_key=tsk_'),
)

/** O181: takes whoever names the consumer as the gateway does. */
export const trustsConsumerHeader = unless(
  ({ headers }) => headers.authorization === undefined && headers['x-consumer-plan'] !== undefined,
)

/** O182: never fetches the JWKS again once a fetch has failed. */
export const givesUpFetching = jwksWith(() => {
  let hasFailed = false
  return {
    async fetchSet(...args) {
      if (hasFailed) throw new Error('Given up')
      try {
        return await strictJwksParts.fetchSet(...args)
      } catch (error) {
        hasFailed = true
        throw error
      }
    },
  }
})

/** O183: takes no token that was signed more than eight seconds ago. */
export const takesFreshTokens = (): Partial<Steps> => ({
  judgeClaims: judgeWith({
    ...strictRules,
    age: ({ claims, nowSec }) =>
      nowSec - Number(claims['iat']) > 8 ? { status: 401, error: 'invalid_token' } : undefined,
  }),
})
