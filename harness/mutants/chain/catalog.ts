import {
  dropsOldKey,
  hidesNewKey,
  keepsRevokedKey,
  namesOneConsumer,
  refusesAll,
  renewsKeyAtStart,
  signsApart,
  signsWithRevokedKey,
  validLater,
} from '../gateway/chain.ts'
import type { ChainMutant } from './mutant.ts'
import { givesUpFetching, stepsOf, takesApiKeys, takesFreshTokens, trustsConsumerHeader } from './origins.ts'

/** All mutants of the chain, by id: those of origins before those of gateways. */
export const CHAIN_MUTANTS: readonly ChainMutant[] = [
  {
    id: 'O01',
    flaw: 'has an origin that answers 401 to everything',
    origin: stepsOf('O01'),
    kills: ['chain/happy-path'],
  },
  {
    id: 'O45',
    flaw: 'has an origin that does not look at exp',
    origin: stepsOf('O45'),
    kills: ['chain/token-expires-at-origin', 'chain/clock-skew'],
  },
  {
    id: 'O46',
    flaw: 'has an origin that grants a leeway of a day',
    origin: stepsOf('O46'),
    kills: ['chain/token-expires-at-origin', 'chain/clock-skew'],
  },
  {
    id: 'O60',
    flaw: 'has an origin that keeps a verified token for ten minutes whatever its exp',
    origin: stepsOf('O60'),
    kills: ['chain/token-expires-at-origin'],
  },
  {
    id: 'O65',
    flaw: 'has an origin that loads the JWKS once, and never again',
    origin: stepsOf('O65'),
    kills: ['chain/rotation-without-loss', 'chain/signing-key-revocation'],
  },
  {
    id: 'O66',
    flaw: 'has an origin that adds the keys that it fetches to those that it has',
    origin: stepsOf('O66'),
    kills: ['chain/signing-key-revocation'],
  },
  {
    id: 'O70',
    flaw: 'has an origin that fetches the JWKS for every request',
    origin: stepsOf('O70'),
    kills: ['chain/jwks-outage'],
  },
  {
    id: 'O74',
    flaw: 'has an origin that throws its keys away before it fetches',
    origin: stepsOf('O74'),
    kills: ['chain/jwks-outage'],
  },
  {
    id: 'O96',
    flaw: 'has an origin that has one protected route without the guard',
    origin: stepsOf('O96'),
    kills: ['chain/direct-to-origin'],
  },
  {
    id: 'O97',
    flaw: 'has an origin that takes a caller from the loopback for authenticated',
    origin: stepsOf('O97'),
    kills: ['chain/direct-to-origin'],
  },
  { id: 'O180', flaw: 'has an origin that takes API keys', origin: takesApiKeys, kills: ['chain/direct-to-origin'] },
  {
    id: 'O181',
    flaw: 'has an origin that takes whoever names a consumer as the gateway does',
    origin: trustsConsumerHeader,
    kills: ['chain/direct-to-origin'],
  },
  {
    id: 'O182',
    flaw: 'has an origin that never fetches the JWKS again once that has failed',
    origin: givesUpFetching,
    kills: ['chain/jwks-outage'],
  },
  {
    id: 'O183',
    flaw: 'has an origin that takes no token of more than eight seconds ago',
    origin: takesFreshTokens,
    kills: ['chain/rotation-without-loss', 'chain/jwks-outage', 'chain/clock-skew', 'chain/instances-agree'],
  },
  { id: 'G01', flaw: 'has a gateway that refuses every request', gateway: refusesAll, kills: ['chain/happy-path'] },
  {
    id: 'G45',
    flaw: 'has a gateway each instance of which has its own key and its own JWKS',
    gateway: signsApart,
    kills: ['chain/instances-agree'],
  },
  {
    id: 'G49',
    flaw: 'has a gateway that drops the old key at once on rotation',
    gateway: dropsOldKey,
    kills: ['chain/rotation-without-loss'],
  },
  {
    id: 'G50',
    flaw: 'has a gateway that goes on publishing and using a revoked signing key',
    gateway: keepsRevokedKey,
    kills: ['chain/signing-key-revocation'],
  },
  {
    id: 'G93',
    flaw: 'has a gateway that makes its signing key anew at every start, with the same kid',
    gateway: renewsKeyAtStart,
    kills: ['chain/gateway-restart'],
  },
  {
    id: 'G183',
    flaw: 'has a gateway whose tokens are valid ten seconds later',
    gateway: validLater(10),
    kills: ['chain/clock-skew'],
  },
  {
    id: 'G180',
    flaw: 'has a gateway that gives every consumer the same subject',
    gateway: namesOneConsumer,
    kills: ['chain/happy-path'],
  },
  {
    id: 'G181',
    flaw: 'has a gateway that never publishes the key that a rotation brings',
    gateway: hidesNewKey,
    kills: ['chain/rotation-without-loss'],
  },
  {
    id: 'G182',
    flaw: 'has a gateway that goes on signing with a revoked key, unpublished',
    gateway: signsWithRevokedKey,
    kills: ['chain/signing-key-revocation'],
  },
]
