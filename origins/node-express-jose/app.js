import express from 'express'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

const issuer = process.env.ISSUER ?? 'https://gateway.example.com/issuer'
const jwksUrl = new URL(process.env.JWKS_URL ?? `${issuer}/.well-known/jwks.json`)
const audience = process.env.AUDIENCE ?? 'https://orders.example.com'
const port = Number(process.env.PORT ?? 8888)
const host = process.env.LISTEN_HOST ?? '127.0.0.1'

const keys = createRemoteJWKSet(jwksUrl, { timeoutDuration: 2_000 })
const options = {
  issuer,
  audience,
  algorithms: ['RS256', 'ES256', 'EdDSA'],
  requiredClaims: ['exp', 'iat', 'sub'],
  clockTolerance: 1,
  maxTokenAge: 3600,
}

/** Refuses with a challenge; `error` only where a credential was given (RFC 6750 section 3). */
function refuse(response, error) {
  const challenge = error === undefined ? 'Bearer realm="orders"' : `Bearer realm="orders", error="${error}"`
  response
    .status(401)
    .set('WWW-Authenticate', challenge)
    .json({ error: error ?? 'unauthorized' })
}

async function requireJwt(request, response, next) {
  const lines = request.headersDistinct.authorization ?? []
  if (lines.length === 0) return refuse(response)
  const token = lines.length === 1 ? /^Bearer +(\S+)$/i.exec(lines[0])?.[1] : undefined
  if (token === undefined) return refuse(response, 'invalid_token')
  try {
    const { payload } = await jwtVerify(token, keys, options)
    // requiredClaims asks that the claim is there, not what it holds.
    if (typeof payload.sub !== 'string' || payload.sub === '') return refuse(response, 'invalid_token')
    request.user = payload
  } catch (error) {
    // What says nothing about the token is an outage of the keys: the caller may come back.
    const isOutage =
      error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError || error instanceof TypeError)
    if (isOutage) return response.status(503).set('Retry-After', '5').json({ error: 'keys unavailable' })
    return refuse(response, 'invalid_token')
  }
  next()
}

const app = express()
app.disable('x-powered-by')
app.get('/protected', requireJwt, (request, response) => {
  response.set('Cache-Control', 'no-store').json({ message: 'Access granted', sub: request.user.sub })
})
app.use((error, _request, response, _next) => {
  console.error(error)
  response.status(500).json({ error: 'internal' })
})

const server = app.listen(port, host)
process.once('SIGTERM', () => server.close(() => process.exit(0)))
