import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import buildGetJwks from 'get-jwks'

const issuer = process.env.ISSUER ?? 'https://gateway.example.com/issuer'
const jwksUrl = new URL(process.env.JWKS_URL ?? `${issuer}/.well-known/jwks.json`)
const audience = process.env.AUDIENCE ?? 'https://orders.example.com'
const port = Number(process.env.PORT ?? 8888)
const host = process.env.LISTEN_HOST ?? '127.0.0.1'

const getJwks = buildGetJwks({ jwksPath: jwksUrl.pathname, issuersWhitelist: [jwksUrl.origin] })

const app = Fastify({ forceCloseConnections: true })

app.register(jwt, {
  decode: { complete: true },
  secret: (_request, { header: { kid, alg } }) => getJwks.getPublicKey({ kid, alg, domain: jwksUrl.origin }),
  verify: {
    algorithms: ['RS256', 'ES256'],
    allowedIss: issuer,
    allowedAud: audience,
    requiredClaims: ['iss', 'aud', 'exp', 'sub'],
  },
})

app.get('/protected', {
  async onRequest(request, reply) {
    try {
      await request.jwtVerify()
    } catch {
      const error = request.headers.authorization === undefined ? '' : ' error="invalid_token"'
      await reply.code(401).header('WWW-Authenticate', `Bearer${error}`).send({ error: 'unauthorized' })
    }
  },
  handler: async (request, reply) => {
    reply.header('Cache-Control', 'no-store')
    return { message: 'Access granted', sub: request.user.sub }
  },
})

await app.listen({ port, host })
process.once('SIGTERM', () => app.close())
