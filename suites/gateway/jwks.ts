import { defineSuite } from '../../harness/model/case.ts'
import { judgeMetadata } from '../gateway-jwks/discovery.ts'
import { judgeDocument } from '../gateway-jwks/document.ts'
import { revokedAtOnce } from '../gateway-jwks/revocation.ts'
import { publishedBeforeUse, retained } from '../gateway-jwks/rotation.ts'
import { alwaysAvailable, cacheable, sameForAll } from '../gateway-jwks/serving.ts'

export default defineSuite({
  id: 'gateway/jwks',
  title: 'Published JWKS and signing-key rotation',
  cases: [
    {
      id: 'document',
      title: 'publishes a JWKS of keys that every library can import',
      level: 'MUST',
      clause: ['rfc7517/set', 'rfc7517/keys', 'rfc7518/rsa', 'rfc7518/keys', 'rfc8037/keys'],
      needs: ['jwks-url'],
      rationale:
        'One key that cannot be imported makes some libraries refuse the whole set, and with it every request.',
      remedy:
        'Serve a JSON object with an array of keys, each with the members of its type, RSA keys of 2048 bits or more.',
      async run(bench) {
        const { answer } = await judgeDocument(
          bench,
          [
            'not-json',
            'not-object',
            'duplicate-member',
            'keys',
            'key-type',
            'key-member',
            'key-encoding',
            'key-weak',
            'key-invalid',
          ],
          'a JSON object with an array of keys that can be imported',
        )
        const [type] = answer.header('content-type')
        if (answer.status === 200) bench.records('media type of the JWKS', type ?? 'none')
      },
    },
    {
      id: 'public-only',
      title: 'publishes no private and no symmetric key',
      level: 'MUST',
      clause: ['rfc7517/non-public', 'cwe-312'],
      needs: ['jwks'],
      rationale: 'Whoever has read a private key mints tokens for any consumer, and no origin can tell.',
      remedy: 'Select the public members by name when the JWKS is written, and take away every key that was exposed.',
      async run(bench) {
        await judgeDocument(bench, ['private-member', 'symmetric-key'], 'no member of a private key, and no kty oct')
      },
    },
    {
      id: 'key-metadata',
      title: 'says of each key what it is called and what it is for',
      level: 'SHOULD',
      clause: ['rfc7517/kid', 'rfc7517/use', 'rfc7517/alg', 'cve-2026-22818'],
      needs: ['jwks'],
      rationale: 'Without alg some libraries let the token choose the algorithm; without kid they try every key.',
      remedy: 'Put a kid of its own, use "sig" and alg into each key.',
      async run(bench) {
        await judgeDocument(
          bench,
          ['kid-missing', 'kid-repeated', 'use', 'key-operations', 'alg-missing', 'alg-of-key'],
          'a kid of its own, use sig or key_ops verify, and an alg that fits in each key',
        )
      },
    },
    {
      id: 'always-available',
      title: 'serves the JWKS to anyone, whatever callers do to the gateway',
      level: 'SHOULD',
      clause: ['oidc-discovery/metadata', 'cwe-400'],
      needs: ['jwks-url', 'key'],
      // A flood of unknown keys may lock the address of the run out for a while.
      runs: 'last',
      rationale: 'If callers can keep origins from the keys, they can make every origin refuse every request.',
      remedy: 'Serve the JWKS before keys and limits are looked at, from memory.',
      run: alwaysAvailable,
    },
    {
      id: 'stable',
      title: 'serves the same keys to every origin at the same time',
      level: 'SHOULD',
      clause: ['oidc-core/rotation', 'rfc7517/kid'],
      needs: ['key', 'capture', 'jwks'],
      rationale: 'Where each worker publishes its own keys, an origin refuses the tokens of all workers but one.',
      remedy: 'Keep the signing keys in one place that all workers and instances read.',
      run: sameForAll,
    },
    {
      id: 'cache-headers',
      title: 'says for how long origins may keep the JWKS, within the overlap of rotations',
      level: 'SHOULD',
      clause: ['rfc9111/max-age', 'oidc-core/rotation'],
      needs: ['jwks'],
      rationale: 'An origin that keeps the set for longer than two keys overlap refuses the new one for the rest.',
      remedy: 'Set Cache-Control with a max-age that is no longer than the time between publishing and using a key.',
      run: cacheable,
    },
    {
      id: 'rotate-publish-before-use',
      title: 'publishes a new key under a new kid before it signs with it',
      level: 'MUST',
      clause: ['oidc-core/rotation', 'rfc7517/kid'],
      needs: ['key', 'capture', 'jwks', 'rotate-signing-key'],
      runs: 'alone',
      rationale:
        'A token whose key is not yet published is refused, or sends every origin to fetch at the same moment.',
      remedy: 'Put the next key into the JWKS, under a kid that was never used, at least max-age before it signs.',
      run: publishedBeforeUse,
    },
    {
      id: 'rotate-retention',
      title: 'keeps a retired key published until its tokens have expired',
      level: 'SHOULD',
      clause: ['oidc-core/rotation'],
      needs: ['key', 'capture', 'jwks', 'rotate-signing-key'],
      runs: 'alone',
      rationale: 'Tokens that are under way when their key disappears are refused although they have not expired.',
      remedy: 'Keep the old key in the JWKS for the longest lifetime of a token and max-age, then take it out.',
      run: retained,
    },
    {
      id: 'emergency-revocation',
      title: 'stops publishing and using a signing key that is revoked',
      level: 'MUST',
      clause: ['cwe-613', 'cwe-324'],
      needs: ['key', 'capture', 'jwks', 'revoke-signing-key'],
      runs: 'alone',
      rationale: 'While a stolen signing key is published, whoever has it is every consumer at once.',
      remedy: 'Take the key out of the JWKS, drop the tokens that it signed from every cache, and sign with another.',
      run: revokedAtOnce,
    },
    {
      id: 'discovery',
      title: 'names in its metadata the issuer of the tokens and the address of its keys',
      level: 'MUST',
      clause: ['rfc8414/validation', 'oidc-discovery/validation'],
      needs: ['discovery'],
      rationale: 'An origin that is set up by the metadata must refuse them when issuer is not what it was told.',
      remedy: 'Set issuer and jwks_uri of the metadata from the same configured address as iss.',
      run: judgeMetadata,
    },
  ],
})
