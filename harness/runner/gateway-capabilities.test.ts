import { expect, test } from 'vitest'
import type { GatewayHooks, KeyWish } from '../model/gateway-bench.ts'
import { gatewayCapabilities } from './gateway-capabilities.ts'
import { resolveGatewayProfile } from './gateway-run.ts'

const ROUTE = { path: '/reports', methods: ['GET'] } as const

const HOOKS: Partial<GatewayHooks> = {
  issueKey: () => Promise.resolve({ key: 'k', consumer: 'c' }),
  revokeKey: () => Promise.resolve(),
}

function capabilities(wishes: readonly (keyof KeyWish)[] | undefined): ReadonlySet<string> {
  return gatewayCapabilities(resolveGatewayProfile({ entitlement: { route: ROUTE } }, 'http://127.0.0.1:1/x'), {
    given: true,
    working: 1,
    captured: false,
    secondCaptured: false,
    hooks: HOOKS,
    ...(wishes ? { wishes } : {}),
    movableClock: false,
    jwks: false,
    scanner: false,
  })
}

test('a hook that issues keys unlocks what it heeds', () => {
  const special = ['two-keys', 'ended-key', 'entitlement']
  const unlocked = (wishes: readonly (keyof KeyWish)[] | undefined): readonly string[] =>
    special.filter((name) => capabilities(wishes).has(name))

  expect(unlocked(undefined)).toEqual(special)
  expect(unlocked([])).toEqual([])
  expect(unlocked(['like'])).toEqual(['two-keys'])
  expect(unlocked(['expiresInSec'])).toEqual([])
  expect(unlocked(['expiresInSec', 'disabled'])).toEqual(['ended-key'])
  expect(unlocked(['unentitled'])).toEqual(['entitlement'])
  expect(capabilities([])).toContain('fresh-keys')
  expect(capabilities([])).toContain('revoked-key')
})
