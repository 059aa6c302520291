import { expect, test } from 'vitest'
import type { PolicyKind } from '../gateway/policy.ts'
import { POLICY_KINDS } from '../gateway/policies/registry.ts'
import { judgeChain } from '../mutants/chain/judge.ts'
import { createJwksClient } from '../origin/jwks-client.ts'
import { referenceSteps } from '../origin/server.ts'
import { embeddedChain } from '../targets/embedded-chain.ts'
import type { ChainFlaw } from '../targets/embedded-chain.ts'
import { urlChain } from '../targets/chain-target.ts'
import type { ChainTarget, ChainTargetSettings, UrlChain } from '../targets/chain-target.ts'
import type { Report } from '../model/result.ts'

/** The embedded chain as somebody else runs it: no hooks, no clocks, and only what is told of it. */
async function foreign(
  settings: ChainTargetSettings,
  told: (embedded: ChainTarget) => Partial<UrlChain>,
  flaw: ChainFlaw = {},
): Promise<ChainTarget> {
  const embedded = await embeddedChain(settings, flaw)
  const keys = [await embedded.hooks.issueKey?.(), await embedded.hooks.issueKey?.()].flatMap((key) => key ?? [])
  const { url, origin, gateway } = embedded
  const { instances: _, ...profile } = gateway
  const chain = { url, gateway: { ...profile, keys }, origin, tapped: false, proxied: false, ...told(embedded) }
  return { ...urlChain(chain, settings), [Symbol.asyncDispose]: () => embedded[Symbol.asyncDispose]() }
}

function verdicts({ cases }: Report): Record<string, string> {
  return Object.fromEntries(cases.map(({ id, verdict }) => [id.replace('chain/', ''), verdict]))
}

test('a chain of which only the URL and keys are known: what can be judged is, and the rest says what it needs', async () => {
  const report = await judgeChain((settings) => foreign(settings, () => ({})))

  expect(verdicts(report)).toEqual({
    'happy-path': 'pass',
    'direct-to-origin': 'skip',
    'token-expires-at-origin': 'skip',
    'rotation-without-loss': 'skip',
    'signing-key-revocation': 'skip',
    'jwks-outage': 'skip',
    'clock-skew': 'skip',
    'gateway-restart': 'skip',
    'instances-agree': 'skip',
  })
  expect(report.target.kind).toBe('url')
  expect(report.cases[1]?.missing.map(({ unlock }) => unlock)).toEqual(['--origin-url URL'])
})

test('clocks that cannot be moved: what declares small numbers is waited for', async () => {
  const upstream = POLICY_KINDS.find(({ type }) => type === 'upstream-zuplo-jwt-auth-inbound')
  if (!upstream) throw new Error('No such policy')
  const short: PolicyKind = {
    ...upstream,
    create: (options, context) => upstream.create({ ...options, expiresIn: 2 }, context),
  }
  const brisk = { maxAgeSec: 1, cooldownSec: 1, staleSec: 0 }
  const report = await judgeChain(
    (settings) =>
      foreign(
        settings,
        ({ originUrl = '', gateway, origin, hooks }) => ({
          originUrl,
          tapped: true,
          proxied: true,
          gateway: { ...gateway, maxLifetimeSec: 2, keys: [] },
          origin: { ...origin, leewaySec: 0, jwks: { maxAgeSec: 1, cooldownSec: 1 } },
          hooks: hooks.issueKey ? { issueKey: hooks.issueKey } : {},
        }),
        {
          gateway: () => ({ kinds: [short] }),
          origin: () => ({
            createJwks: (options) => createJwksClient({ ...options, ...brisk }),
            judgeClaims: (claims, parsed, route, context) =>
              referenceSteps.judgeClaims(claims, parsed, route, {
                ...context,
                profile: { ...context.profile, leewaySec: 0 },
              }),
          }),
        },
      ),
    { cases: ['token-expires-at-origin', 'jwks-outage'] },
  )

  expect(verdicts(report)).toEqual({ 'token-expires-at-origin': 'pass', 'jwks-outage': 'pass' })
  expect(report.cases.flatMap(({ notProven }) => notProven)).toEqual([])
})

test('an origin that the network keeps from the run passes with that note', async () => {
  const report = await judgeChain((settings) => foreign(settings, () => ({ originUrl: 'http://127.0.0.1:9/orders' })))

  const direct = report.cases.find(({ id }) => id === 'chain/direct-to-origin')
  expect(direct?.verdict).toBe('pass')
  expect(direct?.measured).toEqual({
    'past the gateway': 'the network refuses (http://127.0.0.1:9: the connection was refused)',
  })
  expect(report.preflight.checks.find(({ name }) => name === 'reaches the origin past the gateway')?.ok).toBe(false)
})

test('a clock hook that moves nothing is found out, and what needs it is skipped', async () => {
  const still = { kind: 'hook' as const, nowMs: () => Date.now(), advance: () => undefined }
  const report = await judgeChain((settings) =>
    foreign(settings, ({ originUrl = '' }) => ({
      originUrl,
      tapped: true,
      clocks: { gateway: still, origin: still },
    })),
  )

  expect(report.preflight.checks.find(({ name }) => name === 'time can be moved')).toMatchObject({ ok: false })
  expect(verdicts(report)).toMatchObject({ 'clock-skew': 'skip', 'token-expires-at-origin': 'skip' })
})

test('clock hooks that move both sides are proven by a token that dies', async () => {
  const report = await judgeChain((settings) =>
    foreign(settings, ({ originUrl = '', clocks: { gateway, origin } }) => ({
      originUrl,
      tapped: true,
      proxied: true,
      clocks: {
        ...(gateway ? { gateway: { ...gateway, kind: 'hook' } } : {}),
        ...(origin ? { origin: { ...origin, kind: 'hook' } } : {}),
      },
    })),
  )

  expect(report.preflight.checks.find(({ name }) => name === 'time can be moved')).toMatchObject({ ok: true })
  expect(verdicts(report)).toMatchObject({
    'token-expires-at-origin': 'pass',
    'jwks-outage': 'pass',
    'clock-skew': 'pass',
  })
})

test('an origin that believes everything: nothing passes, and no key and no token is in the report', async () => {
  const keys: string[] = []
  const report = await judgeChain(async (settings) => {
    const chain = await embeddedChain(settings, {
      origin: () => ({ guard: () => Promise.resolve({ claims: { sub: 'anyone' } }) }),
    })
    const { issueKey } = chain.hooks
    const noted = async (): Promise<NonNullable<Awaited<ReturnType<NonNullable<typeof issueKey>>>>> => {
      const made = await issueKey?.()
      if (!made) throw new Error('No key')
      keys.push(made.key)
      return made
    }
    return { ...chain, hooks: { ...chain.hooks, issueKey: noted } }
  })
  const text = JSON.stringify(report)

  expect(keys.length).toBeGreaterThan(2)
  expect(report.summary).toMatchObject({ pass: 0, 'fail-open': 3 })
  expect(report.preflight.checks.find(({ name }) => name === 'the origin looks at signatures')?.ok).toBe(false)
  expect(keys.filter((key) => text.includes(key))).toEqual([])
  expect(text).not.toMatch(/eyJ[\w-]+\.eyJ[\w-]+\./u)
  expect(text).toMatch(/\$GATEWAY_TOKEN/u)
})

test('hooks that do nothing or fail prove nothing', async () => {
  const report = await judgeChain((settings) =>
    embeddedChain(settings, {
      gateway: () => ({
        hooks: () => ({
          rotateSigningKey: () => Promise.resolve(),
          restart: () => Promise.reject(new Error('It does not start')),
        }),
      }),
    }),
  )

  const reasons = Object.fromEntries(report.cases.map(({ id, verdict, reason }) => [id, [verdict, reason]]))
  expect(reasons).toMatchObject({
    'chain/rotation-without-loss': ['inconclusive', 'No token of a new key passed the tap after the rotation.'],
    'chain/gateway-restart': ['inconclusive', 'The hook restart failed.'],
    'chain/signing-key-revocation': ['pass', undefined],
    'chain/instances-agree': ['pass', undefined],
  })
  expect(report.exit.code).toBe(1)
})

test('an outage that the origin does not notice proves nothing', async () => {
  const report = await judgeChain((settings) =>
    embeddedChain(settings, {
      origin: () => ({ createJwks: (options) => createJwksClient({ ...options, maxAgeSec: 1e9, cooldownSec: 1e9 }) }),
    }),
  )

  expect(report.cases.find(({ id }) => id === 'chain/jwks-outage')).toMatchObject({
    verdict: 'skip',
    reason: 'Nothing tells how old the keys of the origin are when the outage begins.',
  })
})
