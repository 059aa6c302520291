import { defineSuite } from '../../harness/model/case.ts'
import { audiencesByOrigin } from '../gateway-token/audiences.ts'
import { neverStale } from '../gateway-token/freshness.ts'
import { judgeKids } from '../gateway-token/kids.ts'
import { distinctIds, verifyAll } from '../gateway-token/run-wide.ts'
import { judgeTokens, sampled } from '../gateway-token/sample.ts'
import { interleaved, serialSubjects } from '../gateway-token/subjects.ts'
import { judgeTimes } from '../gateway-token/times.ts'

/** Requests of the case about how a token is carried. */
const CARRIED = 50

export default defineSuite({
  id: 'gateway/token',
  title: 'The minted JWT',
  cases: [
    {
      id: 'exactly-one',
      title: 'sends exactly one token with each request, in the declared header',
      level: 'MUST',
      clause: ['trust/token-only'],
      needs: ['key', 'capture'],
      rationale: 'Of two tokens one origin reads the first and another the last, so that a caller may choose.',
      remedy: 'Replace every line of the token header by one with the declared scheme and the token of the gateway.',
      async run(bench) {
        await judgeTokens(bench, await sampled(bench, CARRIED), {
          kinds: ['token-missing', 'token-header-repeated', 'several-tokens', 'scheme'],
          expected: 'one line of the token header, with the declared scheme and one token',
        })
      },
    },
    {
      id: 'verifies',
      title: 'signs every token so that it verifies against the published JWKS',
      level: 'MUST',
      clause: ['rfc7515/validation', 'rfc7518/rsa', 'rfc7518/ecdsa', 'rfc8725/algorithm', 'rfc8725/appropriate'],
      needs: ['key', 'capture', 'jwks'],
      runs: 'last',
      rationale:
        'Where some signatures do not verify, origins refuse good requests, until somebody turns the check off.',
      remedy:
        'Sign header and claims as they are sent, with a declared asymmetric algorithm and the key that kid names.',
      async run(bench) {
        await sampled(bench)
        await verifyAll(bench)
      },
    },
    {
      id: 'kid-resolves',
      title: 'names in kid exactly one published key that fits the algorithm',
      level: 'MUST',
      clause: ['rfc7515/kid', 'oidc-core/rotation'],
      needs: ['key', 'capture', 'jwks'],
      rationale: 'While keys rotate, an origin that is not told which of them signed has to guess, or refuses.',
      remedy: 'Put the kid of the signing key into the header of every token, as it stands in the JWKS.',
      run: judgeKids,
    },
    {
      id: 'well-formed',
      title: 'mints tokens that every parser reads alike',
      level: 'MUST',
      clause: ['rfc7515/base64url', 'rfc7515/jose-header', 'rfc7519/claims', 'rfc7519/aud', 'rfc7797/jwt'],
      needs: ['key', 'capture'],
      rationale: 'What one library forgives another refuses, and what two read differently an attacker can use.',
      remedy: 'Use a JWT library that encodes base64url without padding, and give it claims of the right types.',
      async run(bench) {
        await judgeTokens(bench, await sampled(bench), {
          kinds: [
            'not-compact',
            'base64url',
            'utf8',
            'not-json',
            'not-object',
            'duplicate-member',
            'crit',
            'b64',
            'zip',
            'claim-type',
          ],
          expected:
            'three segments of unpadded base64url; JSON objects without repeated names; claims of the right types',
        })
      },
    },
    {
      id: 'issuer-audience',
      title: 'names the declared issuer and audience, and no other',
      level: 'MUST',
      clause: ['rfc7519/iss', 'rfc7519/aud', 'rfc8725/issuer', 'rfc8725/audience'],
      needs: ['key', 'capture'],
      rationale: 'Origins compare iss and aud character by character. An audience too many opens a door too many.',
      remedy:
        'Set iss and aud from the configuration of the gateway, never from the request, and to the declared texts.',
      async run(bench) {
        const { can } = bench
        const issuer = can('issuer', 'iss of the tokens')
        const audience = can('audience', 'aud of the tokens')
        if (!issuer && !audience) return
        await judgeTokens(bench, await sampled(bench), {
          kinds: ['issuer', 'audience-missing', 'audience-undeclared'],
          expected: 'iss is the declared issuer, octet for octet; aud has the declared audience and nothing undeclared',
          reads: 'claims',
        })
      },
    },
    {
      id: 'typ',
      title: 'types its tokens as declared',
      level: 'SHOULD',
      clause: ['rfc8725/typ', 'rfc9068/typ'],
      needs: ['key', 'capture', 'typ'],
      rationale: 'An explicit type keeps other JWTs of the same issuer from being taken for gateway tokens.',
      remedy: 'Set typ in the header of every token to the declared type.',
      async run(bench) {
        await judgeTokens(bench, await sampled(bench), {
          kinds: ['typ'],
          expected: 'the declared typ',
          reads: 'header',
        })
      },
    },
    {
      id: 'short-lived',
      title: 'mints tokens that live no longer than declared',
      level: 'MUST',
      clause: ['trust/short-lived', 'cwe-613'],
      needs: ['key', 'capture', 'max-lifetime'],
      rationale: 'A token from a log or a crash report can be replayed for as long as it lives.',
      remedy: 'Set exp to the time of issue and the declared lifetime in every token.',
      async run(bench) {
        await judgeTimes(bench, ['exp-missing', 'lifetime'], `exp at most ${bench.profile.maxLifetimeSec} s after iat`)
      },
    },
    {
      id: 'times-sane',
      title: 'mints tokens that are valid when they arrive',
      level: 'MUST',
      clause: ['rfc7519/exp', 'rfc7519/nbf', 'rfc7519/iat'],
      needs: ['key', 'capture'],
      rationale:
        'An origin without leeway refuses a token whose nbf is a few seconds ahead: every call fails now and then.',
      remedy: 'Set iat and nbf to the present time or a little before, and keep the clock of the gateway synchronised.',
      async run(bench) {
        const { observes, guard } = bench
        const { answer } = await observes({ key: null }, 'a request without a key, for the clock of the gateway')
        const isTold = answer.header('date').length > 0
        await judgeTimes(
          bench,
          ['iat-ahead', 'nbf-ahead', 'expired'],
          'iat and nbf at most 2 s after the arrival, exp after it',
          (details) => {
            guard(
              isTold || details.length === 0,
              'The gateway sends no Date: its clock may be another than that of the run.',
            )
          },
        )
      },
    },
    {
      id: 'fresh-with-caching',
      title: 'sends no token that has expired, however long it keeps tokens',
      level: 'MUST',
      clause: ['cwe-613', 'rfc7519/exp'],
      needs: ['key', 'capture', 'token-passage'],
      runs: 'alone',
      rationale: 'A cached token that outlives its exp makes every request fail until the cache lets go of it.',
      remedy: 'Keep a minted token for a part of its lifetime, and mint a new one while the old one has time left.',
      run: neverStale,
    },
    {
      id: 'subject-per-consumer',
      title: 'gives each consumer a subject of its own, whatever else is under way',
      level: 'MUST',
      clause: ['rfc8725/issuer', 'cve-2026-35039', 'cwe-488', 'cwe-362'],
      needs: ['key', 'capture', 'second-consumer'],
      runs: 'alone',
      rationale: 'A token kept or mixed up between two requests lets one customer read the data of another.',
      remedy: 'Key every cache of tokens by the consumer, and keep what belongs to a request out of shared variables.',
      async run(bench) {
        await interleaved(bench, await serialSubjects(bench))
      },
    },
    {
      id: 'jti-unique',
      title: 'gives every token a jti of its own',
      level: 'SHOULD',
      clause: ['rfc7519/jti'],
      needs: ['key', 'capture', 'jti', 'jwks'],
      runs: 'last',
      rationale: 'An origin that remembers jti values against replay refuses the second of two tokens that share one.',
      remedy: 'Set jti to a random UUID whenever a token is minted.',
      async run(bench) {
        await sampled(bench)
        await distinctIds(bench)
      },
    },
    {
      id: 'audience-per-origin',
      title: 'mints for each origin tokens that no other origin takes',
      level: 'MUST',
      clause: ['rfc9068/audience', 'rfc8725/audience'],
      needs: ['key', 'capture', 'second-capture'],
      rationale: 'With one audience for all, an origin that is taken over can call the others with the tokens it gets.',
      remedy: 'Set aud to the one origin that the route forwards to.',
      run: audiencesByOrigin,
    },
  ],
})
