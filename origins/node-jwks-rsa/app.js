import express from 'express'
import jwt from 'jsonwebtoken'
import jwksClient from 'jwks-rsa'

const issuer = process.env.ISSUER ?? 'https://gateway.example.com/issuer'
const jwksUri = process.env.JWKS_URL ?? `${issuer}/.well-known/jwks.json`
const audience = process.env.AUDIENCE ?? 'https://orders.example.com'
const port = Number(process.env.PORT ?? 8888)
const host = process.env.LISTEN_HOST ?? '127.0.0.1'

const client = jwksClient({ jwksUri })

function getKey(header, callback) {
  client.getSigningKey(header.kid, (error, key) => callback(error, key?.getPublicKey()))
}

function requireJwt(request, response, next) {
  const refuse = (challenge) => response.status(401).set('WWW-Authenticate', challenge).json({ error: 'unauthorized' })
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (token === undefined) return refuse('Bearer')
  jwt.verify(token, getKey, { algorithms: ['RS256'], issuer, audience }, (error, claims) => {
    if (error || typeof claims?.sub !== 'string') return refuse('Bearer error="invalid_token"')
    request.user = claims
    next()
  })
}

const app = express()
app.disable('x-powered-by')
app.get('/protected', requireJwt, (request, response) => {
  response.set('Cache-Control', 'no-store').json({ message: 'Access granted', sub: request.user.sub })
})

const server = app.listen(port, host)
process.once('SIGTERM', () => server.close(() => process.exit(0)))
