import { createHmac } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { upstreamJwt } from '../../gateway/policies/upstream-zuplo-jwt-auth-inbound.ts'
import type { PolicyKind } from '../../gateway/policy.ts'
import type { GatewayRequest, User } from '../../gateway/request.ts'
import { base64url, derOfRawEcdsa } from '../../model/compact.ts'
import { signatureOf } from '../../signing/jws.ts'
import type { GatewayMutant } from './mutant.ts'
import { claiming, claimsOf, forging, service } from './signing.ts'

/** The policy that keeps what it attached, by what `keyOf` says, for as many seconds after its issue. */
function keeping(keyOf: (request: GatewayRequest) => string, seconds: number): PolicyKind {
  return {
    ...upstreamJwt,
    create(options, context) {
      const attach = upstreamJwt.create(options, context)
      const kept = new Map<string, { readonly value: string; readonly untilMs: number }>()
      let generation = context.tokens?.generation()
      return async (request) => {
        const nowMs = context.clock.nowMs()
        if (generation !== context.tokens?.generation()) kept.clear()
        generation = context.tokens?.generation()
        const found = kept.get(keyOf(request))
        if (found && found.untilMs > nowMs) {
          request.headers.set('Authorization', found.value)
          return undefined
        }
        const verdict = await attach(request)
        const value = request.headers.get('authorization')
        if (value !== undefined) kept.set(keyOf(request), { value, untilMs: (claimsOf(value).iat + seconds) * 1000 })
        return verdict
      }
    },
  }
}

const byConsumer = ({ user, route }: GatewayRequest): string => `${user?.sub} ${route}`

/** Flaws that the suite gateway/token finds. */
export const tokenMutants: readonly GatewayMutant[] = [
  {
    id: 'G29',
    flaw: 'adds a second token header instead of replacing the one that is there',
    make: () => ({
      kinds: [
        {
          ...upstreamJwt,
          create(options, context) {
            const attach = upstreamJwt.create(options, context)
            return async (request) => {
              const verdict = await attach(request)
              request.headers.add('Authorization', request.headers.get('authorization') ?? '')
              return verdict
            }
          },
        },
      ],
    }),
    kills: [
      'gateway/token/exactly-one',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G30',
    flaw: 'signs with HS256 and the published key for a secret',
    make: () =>
      forging({
        parts: ({ header }) => ({ header: { ...header, alg: 'HS256' } }),
        signature: (input, { jwk }) => createHmac('sha256', String(jwk['x'])).update(input).digest(),
      }),
    kills: [
      'gateway/token/verifies',
      'gateway/jwks/emergency-revocation',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G120',
    flaw: 'sends ECDSA signatures in DER',
    make: () => ({
      ...forging({
        signature: (input, { alg }, privateKey) => derOfRawEcdsa(signatureOf(privateKey, alg, Buffer.from(input))),
      }),
      project: (project) => ({
        ...project,
        jwtService: project.jwtService && { ...project.jwtService, algorithm: 'ES256' },
      }),
      declares: (profile) => ({ ...profile, algorithms: ['ES256'] }),
    }),
    kills: [
      'gateway/token/verifies',
      'gateway/jwks/emergency-revocation',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G121',
    flaw: 'signs the claims without the header',
    make: () =>
      forging({
        signature: (input, { alg }, privateKey) =>
          signatureOf(privateKey, alg, Buffer.from(input.slice(input.indexOf('.') + 1))),
      }),
    kills: [
      'gateway/token/verifies',
      'gateway/jwks/emergency-revocation',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G31',
    flaw: 'does not say which key has signed',
    make: () => forging({ parts: ({ header }) => ({ header: { ...header, kid: undefined } }) }),
    kills: [
      'gateway/token/kid-resolves',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G122',
    flaw: 'names a key that it does not publish',
    make: () => forging({ parts: ({ header }) => ({ header: { ...header, kid: 'key-1' } }) }),
    kills: [
      'gateway/token/kid-resolves',
      'gateway/jwks/stable',
      'gateway/jwks/rotate-publish-before-use',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G32',
    flaw: 'pads base64url',
    make: () => forging({ encode: (data) => base64url(data).padEnd(Math.ceil(base64url(data).length / 4) * 4, '=') }),
    kills: [
      'gateway/token/well-formed',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G123',
    flaw: 'mints tokens whose aud is null',
    make: () => claiming(() => ({ aud: null })),
    kills: [
      'gateway/token/well-formed',
      'gateway/token/issuer-audience',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G124',
    flaw: 'writes exp as a string',
    make: () => claiming(({ exp }) => ({ exp: String(exp) })),
    kills: [
      'gateway/token/well-formed',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G125',
    flaw: 'names a claim twice',
    make: () => forging({ parts: ({ payload }) => ({ payload: `{"sub":"nobody",${payload.slice(1)}` }) }),
    kills: [
      'gateway/token/well-formed',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G33',
    flaw: 'adds an audience that stands for all origins',
    make: () => claiming(({ aud }) => ({ aud: [aud, '*'] })),
    kills: [
      'gateway/token/issuer-audience',
      'gateway/token/audience-per-origin',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G126',
    flaw: 'puts a slash behind its issuer',
    make: () => claiming(({ iss }) => ({ iss: `${iss}/` })),
    kills: [
      'gateway/token/issuer-audience',
      'gateway/jwks/discovery',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G34',
    flaw: 'does not type its tokens',
    make: () => forging({ parts: ({ header }) => ({ header: { ...header, typ: undefined } }) }),
    kills: ['gateway/token/typ', 'gateway/spoofing/request-smuggling', 'gateway/faults/every-forward-is-signed'],
  },
  {
    id: 'G35',
    flaw: 'mints tokens that live for a day',
    make: () => service((made) => ({ sign: (claims) => made.sign(claims, 86_400) })),
    kills: [
      'gateway/token/short-lived',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G36',
    flaw: 'issues tokens a minute ahead of its own clock',
    make: () => claiming(({ iat, exp }) => ({ iat: iat + 60, exp: exp + 60 })),
    kills: ['gateway/token/times-sane', 'gateway/spoofing/request-smuggling', 'gateway/faults/every-forward-is-signed'],
  },
  {
    id: 'G94',
    flaw: 'mints tokens that are valid in five seconds',
    make: () => claiming(({ iat }) => ({ nbf: iat + 5 })),
    kills: ['gateway/token/times-sane', 'gateway/spoofing/request-smuggling', 'gateway/faults/every-forward-is-signed'],
  },
  {
    id: 'G129',
    flaw: 'mints tokens that have just expired',
    make: () => claiming(({ iat }) => ({ iat: iat - 60, exp: iat - 1 })),
    kills: [
      'gateway/token/times-sane',
      'gateway/token/fresh-with-caching',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G37',
    flaw: 'keeps a token for ten times its lifetime',
    make: () => ({ kinds: [keeping(byConsumer, 600)] }),
    kills: [
      'gateway/token/fresh-with-caching',
      'gateway/spoofing/request-smuggling',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G127',
    flaw: 'keeps a token until it expires, although it declares that some life is left',
    make: () => ({ kinds: [keeping(byConsumer, 59)] }),
    kills: ['gateway/token/fresh-with-caching'],
  },
  {
    id: 'G38',
    flaw: 'keeps a token for each route: the first consumer wins',
    make: () => ({ kinds: [keeping(({ route }) => route, 25)] }),
    kills: ['gateway/token/subject-per-consumer'],
  },
  {
    id: 'G128',
    flaw: 'keeps the consumer in a variable that all requests share',
    make() {
      let current: User | undefined
      return {
        kinds: [
          {
            ...upstreamJwt,
            create(options, context) {
              const attach = upstreamJwt.create(options, context)
              return async (request) => {
                current = request.user
                await turn()
                const { user } = request
                request.user = current
                const verdict = await attach(request)
                request.user = user
                return verdict
              }
            },
          },
        ],
      }
    },
    kills: ['gateway/token/subject-per-consumer'],
  },
  {
    id: 'G39',
    flaw: 'gives every token the same jti',
    make: () => claiming(() => ({ jti: '0' })),
    kills: ['gateway/token/jti-unique'],
  },
  {
    id: 'G40',
    flaw: 'mints one audience for all origins',
    make: () => claiming(() => ({ aud: 'https://orders.example.com' })),
    kills: [
      'gateway/token/issuer-audience',
      'gateway/token/audience-per-origin',
      'gateway/faults/every-forward-is-signed',
    ],
  },
]
