import type {
  ApiKey,
  GatewayProfile,
  GatewayRoute,
  KeyLocation,
  LimitProfile,
  QuotaProfile,
  SecretScanningProfile,
} from '../model/gateway-profile.ts'
import {
  algorithms,
  amount,
  body,
  headerLines,
  pathText,
  seconds,
  status,
  texts,
  tokenPlace,
  url,
  words,
  yesOrNo,
} from './common-shapes.ts'
import { either, listOf, mapOf, number, objectOf, oneOf, text } from './shape.ts'
import type { Shape } from './shape.ts'

type Declared<K extends keyof GatewayProfile> = NonNullable<GatewayProfile[K]>

const KEY_FORM = '"…", or {"key": "…", "consumer"?: "acme", "subject"?: "acme", "identity"?: {"X-Consumer-ID": "acme"}}'

const apiKey = either(
  [
    words,
    objectOf<ApiKey>(
      {
        key: words,
        consumer: words,
        subject: words,
        identity: mapOf(text('a text', { empty: true }), '{"X-Consumer-ID": "acme"}'),
      },
      KEY_FORM,
      { required: ['key'] },
    ),
  ],
  KEY_FORM,
)

const keys = listOf(apiKey, `a list of keys: ${KEY_FORM}`)

/** A route that needs a key. */
export const GATEWAY_ROUTE = objectOf<GatewayRoute>(
  {
    path: text('a path that begins with /, without a query', { pattern: '^/[^?#]*$', shown: true }),
    methods: texts(1),
    audience: words,
    origin: number('1 or 2: which capture origin', 1, 2, 'whole'),
    originPath: pathText,
    body,
    headers: headerLines,
  },
  '{"path": "/orders", "methods": ["GET", "POST"]}',
  { required: ['path', 'methods'] },
)

const route = GATEWAY_ROUTE

const routes = listOf(route, 'a list of routes such as {"path": "/orders", "methods": ["GET", "POST"]}', 1)

const window = number('seconds as a number, more than 0', 0.001)

const limit = objectOf<LimitProfile>(
  {
    route,
    scope: oneOf(['key', 'consumer', 'address', 'route']),
    requests: amount,
    windowSec: window,
    burst: number('a whole number, 0 or more', 0, undefined, 'whole'),
    strict: yesOrNo,
    status,
    algorithm: oneOf(['fixed', 'sliding', 'token-bucket']),
    distributed: yesOrNo,
    onStoreDown: oneOf(['open', 'closed']),
  },
  '{"route": {…}, "scope": "consumer", "requests": 10, "windowSec": 2}',
  { required: ['route', 'scope', 'requests', 'windowSec'] },
)

const quota = objectOf<QuotaProfile>(
  { route, requests: amount, windowSec: window, shortWindowSec: window, status, persistent: yesOrNo },
  '{"route": {…}, "requests": 100, "windowSec": 3600}',
  { required: ['route', 'requests', 'windowSec'] },
)

const location = objectOf<KeyLocation>(
  { in: oneOf(['header', 'query', 'cookie', 'body']), name: words, scheme: words },
  '{"in": "header", "name": "X-API-Key"}',
  { required: ['in', 'name'] },
)

const expression = text('a regular expression for the whole of a key', {
  test: (value) => {
    try {
      return new RegExp(value, 'u').source !== ''
    } catch {
      return false
    }
  },
})

/** What a gateway can declare, member by member. */
export const GATEWAY_MEMBERS = {
  keyLocations: listOf(location, 'a list of places such as {"in": "header", "name": "X-API-Key"}', 1),
  routes,
  publicRoutes: listOf(route, 'a list of routes such as {"path": "/public", "methods": ["GET"]}'),
  keys,
  revokedKeys: keys,
  expiredKeys: keys,
  disabledKeys: keys,
  entitlement: objectOf<Declared<'entitlement'>>(
    { route, otherKeys: keys },
    '{"route": {…}, "otherKeys": [a key that may not use it]}',
    {
      required: ['route'],
    },
  ),
  spareKeys: keys,
  pairOfKeys: listOf(apiKey, 'a list of two keys of one consumer', 2, 2),
  caseInsensitiveKeys: yesOrNo,
  keyFormat: objectOf<Declared<'keyFormat'>>(
    {
      pattern: expression,
      entropyBits: number('bits as a number, 0 or more', 0),
      checksum: oneOf(['crc32-base62']),
    },
    '{"pattern": "^tsk_[0-9A-Za-z]{32}$", "entropyBits"?: 190}',
    { required: ['pattern'] },
  ),
  keyPropagationSec: seconds,
  corsPreflight: yesOrNo,
  token: tokenPlace,
  issuer: words,
  audience: words,
  alsoAudiences: texts(0),
  algorithms,
  maxLifetimeSec: seconds,
  minRemainingSec: seconds,
  typ: words,
  jti: yesOrNo,
  jwksUrl: url,
  discoveryUrl: url,
  identityHeaders: texts(1),
  keyRetentionSec: seconds,
  rotationOverlapSec: seconds,
  forwardsClientCredential: yesOrNo,
  forwardedPolicy: oneOf(['replace', 'append', 'remove']),
  alteredHeaders: texts(0),
  upgrade: pathText,
  limits: listOf(limit, 'a list of limits such as {"route": {…}, "scope": "consumer", "requests": 10, "windowSec": 2}'),
  quota,
  concurrency: objectOf<Declared<'concurrency'>>(
    { requests: amount, route, status },
    '{"requests": 100, "route": {…}}',
    {
      required: ['requests', 'route'],
    },
  ),
  authFailures: objectOf<Declared<'authFailures'>>(
    { attempts: amount, windowSec: window, status, route },
    '{"attempts": 20, "windowSec": 60}',
    {
      required: ['attempts', 'windowSec'],
    },
  ),
  rateLimitFields: yesOrNo,
  originTimeoutSec: seconds,
  cachesKeys: yesOrNo,
  secretScanning: objectOf<SecretScanningProfile>(
    {
      path: pathText,
      type: words,
      propagationSec: seconds,
      keyListMaxAgeSec: seconds,
    },
    '{"path": "/secret-scanning", "type": "acme_api_key"}',
    { required: ['path', 'type'] },
  ),
  instances: listOf(url, 'a list of base URLs such as "http://127.0.0.1:8081"'),
  marker: words,
} as const satisfies Readonly<Record<keyof GatewayProfile, Shape>>
