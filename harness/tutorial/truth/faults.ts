import type { GatewayProfile } from '../../model/gateway-profile.ts'
import type { OriginProfile } from '../../model/profile.ts'
import type { PatchName } from './patches.ts'
import { AUDIENCE } from './project-steps.ts'
import type { ProjectStep } from './project-steps.ts'

/** What the page's origin is meant to take; tokens of the first runs carry no audience. */
const ORIGIN: OriginProfile = { algorithms: ['RS256'], marker: 'Access granted', identityEcho: '/user/sub' }

const WITH_AUDIENCE: OriginProfile = { ...ORIGIN, audience: AUDIENCE }

/** What the page's origin needs of the gateway. */
const GATEWAY: GatewayProfile = { algorithms: ['RS256'], audience: AUDIENCE }

/** A fault and what mends it. */
interface Fault {
  readonly title: string
  /** What it is, once its log or its finding was seen. */
  readonly says: string
  /** What the change does. */
  readonly fix: string
  /** The case that finds it, full id. */
  readonly case: string
  /** What is judged, and as what. */
  readonly judged:
    | { readonly subject: 'gateway'; readonly profile: GatewayProfile }
    | { readonly subject: 'origin'; readonly profile: OriginProfile }
  /** Steps in the project of the gateway and in the origin. */
  readonly project?: ProjectStep
  readonly patch?: PatchName
}

/** A fault that the call of step 5 meets. */
export type PathFault = Fault

/** A fault that is left when that call works. */
export interface HiddenFault extends Fault {
  readonly judged: { readonly subject: 'origin'; readonly profile: OriginProfile }
  readonly patch: PatchName
  /** Names of what is measured beside the case. */
  readonly measured?: readonly string[]
}

/** In the order in which the call meets them. */
export const PATH_FAULTS: readonly PathFault[] = [
  {
    title: 'The plugin alone attaches nothing',
    says:
      'The request reached the origin without Authorization. The gateway took the API key out, as it must, and put ' +
      'nothing in its place: registering the JWT service publishes an issuer and its keys, and no more. A token goes ' +
      'out where a policy of the route attaches it. The page has no such step.',
    fix: 'The policy upstream-zuplo-jwt-auth-inbound, behind the API key:',
    case: 'gateway/token/exactly-one',
    judged: { subject: 'gateway', profile: GATEWAY },
    project: 'attach',
  },
  {
    title: 'jwt.algorithms belongs to another library',
    says:
      'A token arrives now, and the origin breaks on it: its log ends in an AttributeError. The page imports jwt from ' +
      'jose, which is python-jose; RSAAlgorithm.from_jwk belongs to PyJWT. Only JWTError is caught, so that every ' +
      'token whose kid is known is answered with 500, a valid one too. The key is looked up before anything else is ' +
      'looked at: that is why this comes before the algorithm.',
    fix: 'python-jose takes the JWK as it is:',
    case: 'origin/signature/control-valid',
    judged: { subject: 'origin', profile: { ...ORIGIN, audience: null } },
    patch: 'library',
  },
  {
    title: 'The gateway signs with EdDSA, the origin takes RS256 alone',
    says:
      'The JWT service signs with EdDSA unless it is told otherwise, as the header of the token shows. The ' +
      'origin of the page lists RS256, and python-jose has no EdDSA at all: the origin cannot give in, so the gateway has to.',
    fix:
      'The service signs with RS256. A gateway in use takes over another algorithm as it rotates keys, when every ' +
      'origin can know the new key; here it makes its keys anew, so that nobody waits. The origin is started anew as ' +
      'well: it would keep the old keys for ten minutes, a fault that is shown below.',
    case: 'gateway/token/verifies',
    judged: { subject: 'gateway', profile: GATEWAY },
    project: 'algorithm',
  },
  {
    title: 'The origin refuses every token that has an audience',
    says:
      'The policy writes the URL of the request into aud, as the claims show. The origin of the page expects none, ' +
      'and python-jose refuses every token that has one then.',
    fix: 'The gateway names one audience for this origin, and the origin expects it:',
    case: 'origin/signature/control-valid',
    judged: { subject: 'origin', profile: WITH_AUDIENCE },
    project: 'audience',
    patch: 'audience',
  },
]

/** How the origin keeps the JWKS: what it declares of that bounds what the cases wait for. */
const KEEPING: OriginProfile = { ...WITH_AUDIENCE, jwks: { maxAgeSec: 600, cooldownSec: 30, timeoutMs: 2_000 } }

/** In the order in which they are mended. */
export const HIDDEN_FAULTS: readonly HiddenFault[] = [
  {
    title: 'A token without exp is let in',
    says: 'python-jose looks at exp where there is one, and asks for none: such a token never dies.',
    fix: 'The claims that the gateway always writes are required:',
    case: 'origin/expired-tokens/exp-missing',
    judged: { subject: 'origin', profile: WITH_AUDIENCE },
    patch: 'exp',
  },
  {
    title: 'A token without kid is answered with 500',
    says: 'Anybody can send one, no key is needed: header["kid"] raises KeyError, which nobody catches.',
    fix: 'A kid that is missing, or no string, is refused like any other:',
    case: 'origin/signature/kid-hostile-type',
    judged: { subject: 'origin', profile: WITH_AUDIENCE },
    patch: 'kid',
  },
  {
    title: 'A new signing key locks everyone out for ten minutes',
    says:
      'The case publishes a new key, waits until a look would be due again, and sends a token of it. The origin knows ' +
      'the old set alone, and does not look again for a kid that it does not know. How long that lasts is measured ' +
      'with the clock of the origin moved forward.',
    fix: 'An unknown kid causes a second look, at most once in ten seconds:',
    case: 'origin/kid-rotation/new-kid-picked-up',
    judged: { subject: 'origin', profile: KEEPING },
    patch: 'rotation',
    measured: ['jwks-max-age', 'refetch-on-unknown-kid'],
  },
  {
    title: 'A 401 without WWW-Authenticate',
    says: 'A 401 has to say how to authenticate. The origin of the page sets the status and nothing else.',
    fix: 'Every 401 carries the challenge:',
    case: 'origin/challenge/www-authenticate',
    judged: { subject: 'origin', profile: WITH_AUDIENCE },
    patch: 'challenge',
  },
  {
    title: 'While the JWKS is slow, the origin stands still',
    says:
      'requests.get is called on the event loop, without a timeout: while the issuer is slow, nobody is served, not ' +
      'even with keys that are known. Now that unknown kids cause fetches, anybody can bring that about.',
    fix: 'The key is looked up in a thread, one fetch at a time, with a timeout:',
    case: 'origin/jwks-caching/refresh-does-not-block',
    judged: { subject: 'origin', profile: KEEPING },
    patch: 'fetch',
  },
]
