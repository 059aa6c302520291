import type { ApiKeyProfile, JwksProfile, OriginProfile, Route, SideEffectProfile } from '../model/profile.ts'
import {
  algorithms,
  amount,
  body,
  headerLines,
  pathText,
  pointer,
  seconds,
  texts,
  tokenPlace,
  words,
  yesOrNo,
} from './common-shapes.ts'
import { either, flag, listOf, mapOf, nothing, number, objectOf, oneOf, text } from './shape.ts'
import type { Shape } from './shape.ts'

const milliseconds = number('milliseconds as a number, 0 or more', 0)

const route = objectOf<Omit<Route, 'operation'>>(
  {
    path: pathText,
    methods: texts(1),
    scope: words,
    once: yesOrNo,
    body,
    headers: headerLines,
  },
  '{"path": "/…", "methods": ["GET"], "scope"?: text, "once"?: true}',
  { required: ['path', 'methods'] },
)

const routes = listOf(route, 'a list of routes such as {"path": "/orders", "methods": ["GET"]}', 1)

const apiKey = objectOf<ApiKeyProfile>(
  {
    key: words,
    headers: listOf(
      objectOf({ name: words, scheme: words }, '{"name": "X-API-Key", "scheme"?: "Bearer"}', { required: ['name'] }),
      'a list of {"name": "X-API-Key", "scheme"?: "Bearer"}',
    ),
    query: texts(0),
  },
  '{"key": "…", "headers"?: [{"name": "X-API-Key", "scheme"?: "Bearer"}], "query"?: ["api_key"]}',
  { required: ['key'] },
)

const sideEffect = objectOf<SideEffectProfile>(
  { path: pathText, counter: pathText, pointer },
  '{"path": "/transfers", "counter": "/transfers/count", "pointer": "/count"}',
  { required: ['path', 'counter', 'pointer'] },
)

const jwks = objectOf<JwksProfile>(
  {
    mode: oneOf(['static', 'discovery', 'per-kid', 'pinned']),
    maxAgeSec: seconds,
    cooldownSec: seconds,
    timeoutMs: milliseconds,
    maxStaleSec: seconds,
    workers: either([amount, oneOf(['unbounded'])], '1 or more, or "unbounded"'),
    honoursCacheControl: flag(),
  },
  '{"mode"?: "static", "discovery", "per-kid" or "pinned", "maxAgeSec"?, "cooldownSec"?, "timeoutMs"?, "maxStaleSec"?, "workers"?: 1 or more or "unbounded", "honoursCacheControl"?: true}',
)

const claim = either(
  [text('a text', { empty: true }), number('a number'), flag()],
  'a text, a number, or true or false',
)

/** What an origin can declare, member by member. */
export const ORIGIN_MEMBERS = {
  algorithms,
  issuer: words,
  audience: either([words, nothing()], 'a text that is not empty, or null'),
  typ: words,
  requiredClaims: texts(1),
  leewaySec: seconds,
  maxLifetimeSec: seconds,
  maxTokenAgeSec: seconds,
  singleOrigin: yesOrNo,
  subjects: texts(2),
  knownSubjects: yesOrNo,
  marker: words,
  identityEcho: pointer,
  token: tokenPlace,
  routes,
  publicRoutes: routes,
  identityHeaders: texts(1),
  corsPreflight: yesOrNo,
  apiKey,
  upgrade: pathText,
  sideEffect,
  jwks,
  latencyBudgetMs: milliseconds,
  claims: mapOf(claim, 'an object of texts, numbers and booleans'),
  publicCache: yesOrNo,
  plainJwks: yesOrNo,
  padding: yesOrNo,
} as const satisfies Readonly<Record<keyof OriginProfile, Shape>>
