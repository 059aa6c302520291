import { movableClock } from '../clock/clock.ts'
import { REFERENCE_PROFILE } from '../origin/profile.ts'
import { startReferenceOrigin } from '../origin/server.ts'

// The reference origin as a process, for workflows that start one: PORT, ISSUER and JWKS_URL say the rest.
const { PORT = '0', ISSUER = '', JWKS_URL = '' } = process.env
const { audience } = REFERENCE_PROFILE
const origin = await startReferenceOrigin({
  issuer: ISSUER,
  jwksUrl: JWKS_URL,
  audience,
  profile: REFERENCE_PROFILE,
  clock: movableClock(),
  port: Number(PORT),
})
console.log(`The origin listens at ${origin.url}`)
