import type { PolicyKind } from '../policy.ts'
import { apiKey } from './api-key-inbound.ts'
import { complexRateLimitInbound } from './complex-rate-limit-inbound.ts'
import { queryParamToHeader } from './query-param-to-header-inbound.ts'
import { quotaInbound } from './quota-inbound.ts'
import { rateLimitInbound } from './rate-limit-inbound.ts'
import { removeHeadersInbound } from './remove-headers-inbound.ts'
import { requestSizeLimitInbound } from './request-size-limit-inbound.ts'
import { setHeadersInbound } from './set-headers-inbound.ts'
import { setUpstreamApiKeyInbound } from './set-upstream-api-key-inbound.ts'
import { upstreamJwt } from './upstream-zuplo-jwt-auth-inbound.ts'

/** All kinds of policies; a project that names another does not start. */
export const POLICY_KINDS: readonly PolicyKind[] = [
  apiKey,
  queryParamToHeader,
  rateLimitInbound,
  complexRateLimitInbound,
  quotaInbound,
  requestSizeLimitInbound,
  setHeadersInbound,
  removeHeadersInbound,
  setUpstreamApiKeyInbound,
  upstreamJwt,
]
