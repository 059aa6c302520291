import type { OriginBench } from '../../harness/model/bench.ts'
import type { ConformanceCase } from '../../harness/model/case.ts'
import { base64url, joined, octets, segmentsOf } from '../../harness/model/compact.ts'
import { Inconclusive } from '../../harness/model/errors.ts'
import type { Json } from '../../harness/model/json.ts'
import { PUBLISHED_ALGORITHMS } from '../../harness/model/token.ts'
import type { Algorithm, KeyRole, SigningKey } from '../../harness/model/token.ts'
import { refuseAll } from '../stimuli.ts'
import type { Stimulus } from '../stimuli.ts'

const NONE: readonly (readonly [string, Json | undefined])[] = [
  ['alg "none"', 'none'],
  ['alg "None"', 'None'],
  ['alg "NONE"', 'NONE'],
  ['alg "nOnE"', 'nOnE'],
  ['alg "none" with a trailing space', 'none '],
  ['alg an empty string', ''],
  ['alg null', null],
  ['alg an array of "none"', ['none']],
  ['alg 0', 0],
  ['no alg', undefined],
]

const HMAC: readonly Algorithm[] = ['HS256', 'HS384', 'HS512']
const RSA: readonly Algorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']

function unsigned({ mint, control, random }: OriginBench): readonly Stimulus[] {
  const ofControl = octets(segmentsOf(control().compact).signature)
  const signatures: readonly (readonly [string, Uint8Array])[] = [
    ['an empty signature', new Uint8Array()],
    ['the signature of a valid token', ofControl],
    ['32 random octets as its signature', random(32)],
  ]
  return NONE.flatMap(([alg, value]) =>
    signatures.map(([name, signature]): Stimulus => [
      `${alg} with ${name}`,
      mint({}, { header: { alg: value }, signature }),
    ]),
  )
}

type Secret = readonly [name: string, octets: Uint8Array]

/** Encodings of a published key that a confused verifier could take for an HMAC secret. */
function encodings({ spkiPem: pem, pkcs1Pem, jwk, spkiDer, thumbprint }: SigningKey): readonly Secret[] {
  const { n, x } = jwk
  const text: readonly (readonly [string, Json | undefined])[] = [
    ['the PEM of the key', pem],
    ['the PEM with CRLF', pem.replaceAll('\n', '\r\n')],
    ['the PEM without its last newline', pem.trimEnd()],
    ['the PEM after an empty line', `\n${pem}`],
    ['the PKCS#1 PEM', pkcs1Pem],
    ['the JWK as served', JSON.stringify(jwk)],
    ['the text of n', n],
    ['the text of x', x],
    ['the thumbprint of the key', thumbprint],
  ]
  return [
    ...text.flatMap(([name, value]) => (typeof value === 'string' ? [secretOf(name, value)] : [])),
    ['the DER of the key', spkiDer],
    ...(typeof n === 'string' ? [['the octets of n', octets(n)] as const] : []),
    ...(typeof x === 'string' ? [['the octets of x', octets(x)] as const] : []),
  ]
}

/** Secrets that need no key to guess. */
function guesses({ kid }: SigningKey, { issuer, audience }: OriginBench['profile']): readonly Secret[] {
  const words = ['secret', 'password', 'changeme', 'your-256-bit-secret']
  return [
    secretOf('the kid', kid),
    secretOf('an empty string', ''),
    ...words.map((word) => secretOf(`"${word}"`, word)),
    secretOf('the issuer', issuer),
    ...(audience === null ? [] : [secretOf('the audience', audience)]),
  ]
}

function secretOf(name: string, text: string): Secret {
  return [name, new Uint8Array(Buffer.from(text))]
}

function macs({ mint }: OriginBench, secrets: readonly Secret[], key: SigningKey, whose: string): readonly Stimulus[] {
  return secrets.flatMap(([name, secret]) =>
    HMAC.map((alg): Stimulus => {
      const token = mint({}, { key: secret, header: { alg, kid: key.kid } })
      return [`${alg} with ${name} as its secret, kid of ${whose}`, { ...token, provenBy: key.role }]
    }),
  )
}

/** Published keys without alg whose tokens the origin accepts; one all the same where it accepts none. */
function keysWithoutAlg({ keys, profile }: OriginBench): readonly SigningKey[] {
  const bare = [keys.get('no-alg-rsa'), keys.get('no-alg-ec')]
  const usable = bare.filter(({ alg }) => profile.algorithms.includes(alg))
  return usable.length > 0 ? usable : bare.filter(({ kty }) => kty === keys.main.kty)
}

/** Published keys of the declared RSA algorithms: each can compute the others. */
function rsaRoles({ profile }: OriginBench): readonly Algorithm[] {
  return profile.algorithms.filter((algorithm) => RSA.includes(algorithm))
}

/** The published key of an algorithm. */
function keyOf({ keys }: OriginBench, algorithm: Algorithm): SigningKey {
  return keys.get(algorithm as KeyRole)
}

/** The list of algorithms that the origin takes, as each library is told it. */
const ALLOW_LIST: NonNullable<ConformanceCase['snippets']> = {
  jose: "await jwtVerify(token, jwks, { algorithms: ['RS256'] })",
  PyJWT: "jwt.decode(token, key, algorithms=['RS256'], audience=AUDIENCE)",
  'python-jose': "jwt.decode(token, key, algorithms=['RS256'], audience=AUDIENCE)",
  'Spring Security': 'NimbusJwtDecoder.withJwkSetUri(uri).jwsAlgorithm(SignatureAlgorithm.RS256).build()',
  jsonwebtoken: "jwt.verify(token, key, { algorithms: ['RS256'] })",
  'golang-jwt': 'jwt.Parse(token, keyfunc, jwt.WithValidMethods([]string{"RS256"}))',
}

/** Cases about the algorithm: who chooses it, and for which key. */
export const algorithmCases: readonly ConformanceCase[] = [
  {
    id: 'control-valid',
    title: 'accepts a valid token of every algorithm that it declares',
    level: 'MUST',
    clause: ['rfc7515/validation', 'rfc7518/alg'],
    needs: ['control'],
    rationale: 'An origin that refuses valid tokens is an outage, and its refusals of all others prove nothing.',
    remedy: 'Check issuer, audience, JWKS URL and the list of algorithms in the configuration of the origin.',
    async run(bench) {
      const { accepts, can, control, mint, profile, keys } = bench
      if (!can('issuer', 'one token for every declared algorithm')) {
        await accepts(control(), 'the given token')
        return
      }
      for (const algorithm of profile.algorithms) {
        const key = keyOf(bench, algorithm)
        await accepts(key.role === keys.main.role ? mint() : mint({}, { key }), `a valid ${algorithm} token`)
      }
    },
  },
  {
    id: 'alg-none',
    title: 'refuses unsigned tokens however "none" is spelt',
    level: 'MUST',
    clause: [
      'rfc7519/unsecured',
      'rfc8725/algorithm',
      'rfc8725/appropriate',
      'rfc9068/validation',
      'cve-2015-9235',
      'cve-2022-23540',
    ],
    needs: [],
    rationale: 'Whoever can reach the origin writes the token that they like; no key is needed.',
    remedy: 'Pass the verifier a fixed list of algorithms, and refuse every token whose alg is not on it.',
    snippets: ALLOW_LIST,
    async run(bench) {
      await refuseAll(bench, unsigned(bench))
    },
  },
  {
    id: 'hmac-confusion',
    title: 'refuses HMAC tokens keyed with public or guessable values',
    level: 'MUST',
    clause: ['rfc8725/weak-signature', 'rfc8725/algorithm', 'rfc8725/key-entropy', 'cve-2022-29217', 'cve-2024-33663'],
    needs: ['rsa-or-ec', 'no-hmac'],
    rationale: 'The public key is public: a verifier that takes it for an HMAC secret accepts what anyone signs.',
    remedy: 'Allow asymmetric algorithms alone, and choose the verifier by the type of the key, not by the token.',
    snippets: ALLOW_LIST,
    async run(bench) {
      const { keys, profile, can } = bench
      const { main } = keys
      await refuseAll(bench, macs(bench, guesses(main, profile), main, 'a key with alg'))
      // Without the issuer, the key that the origin trusts is not known, and encodings of another one prove nothing.
      if (!can('public-key', 'encodings of the public key as the secret')) return
      await refuseAll(bench, macs(bench, encodings(main), main, 'a key with alg'))
      if (!can('issuer', 'the kid of a key without alg') || !can('unusual-keys', 'the kid of a key without alg')) return
      for (const key of keysWithoutAlg(bench)) {
        const secrets = [...guesses(key, profile), ...encodings(key)]
        await refuseAll(bench, macs(bench, secrets, key, `an ${key.kty} key without alg`))
      }
    },
  },
  {
    id: 'alg-not-allowed',
    title: 'refuses algorithms that it does not declare, though the key could compute them',
    level: 'MUST',
    clause: ['rfc8725/algorithm', 'rfc7515/validation'],
    needs: ['issuer', 'spare-algorithm'],
    rationale:
      'Without a list of its own, the origin lets the token choose, and the next weak algorithm is let in too.',
    remedy: 'Pass the verifier the list of algorithms that you use, and nothing else.',
    snippets: ALLOW_LIST,
    async run(bench) {
      const { keys, mint, profile, can } = bench
      const spare = RSA.filter((algorithm) => !profile.algorithms.includes(algorithm))
      await refuseAll(
        bench,
        spare.map((alg) => [`${alg} by the key of ${keys.main.alg}`, mint({}, { header: { alg } })]),
      )
      if (!can('unusual-keys', 'other algorithms by a key without alg')) return
      const key = keys.get('no-alg-rsa')
      await refuseAll(
        bench,
        spare.map((alg) => [`${alg} by a key without alg`, mint({}, { key, header: { alg } })]),
      )
    },
  },
  {
    id: 'alg-key-binding',
    title: 'verifies each key with the one algorithm that its JWK names',
    level: 'MUST',
    clause: ['rfc8725/algorithm', 'rfc7517/alg'],
    needs: ['issuer', 'rsa'],
    rationale: 'A key that serves two algorithms can be used against the weaker one.',
    remedy: 'Compare alg of the token with alg of the JWK before verifying, and refuse when they differ.',
    async run(bench) {
      const { mint, can } = bench
      const [first, second] = rsaRoles(bench)
      if (first === undefined) throw new Inconclusive('No RSA algorithm is accepted.')
      const key = keyOf(bench, first)
      const other = second ?? RSA.find((algorithm) => algorithm !== first && algorithm[0] === first[0]) ?? 'RS512'
      const mixed = mint({}, { key, header: { alg: first }, signAs: other })
      await refuseAll(bench, [[`header ${first}, signed as ${other}, by a key for ${first}`, mixed]])
      if (!can('sibling-algorithm', 'another declared algorithm by the same key')) return
      await refuseAll(bench, [
        [`header ${other}, signed as ${other}, by a key for ${first}`, mint({}, { key, header: { alg: other } })],
        [
          `header ${other}, signed as ${first}, by a key for ${first}`,
          mint({}, { key, header: { alg: other }, signAs: first }),
        ],
      ])
    },
  },
  {
    id: 'key-type-mismatch',
    title: 'refuses an algorithm that does not belong to the type of the key',
    level: 'MUST',
    clause: ['rfc7518/alg', 'rfc7518/ecdsa', 'cve-2022-23539'],
    needs: ['issuer'],
    rationale: 'A key read as another type ends in a crash at best, and in a forged acceptance at worst.',
    remedy: 'Compare the type and the curve of the key with alg before using it, and answer 401 when they differ.',
    async run(bench) {
      const { mint, keys, can, profile } = bench
      const algorithms = PUBLISHED_ALGORITHMS.filter((algorithm) => profile.algorithms.includes(algorithm))
      const kinds = new Map(algorithms.map((algorithm) => [keys.get(algorithm).kty, keys.get(algorithm)]))
      const ec = keys.get('ES256')
      const rsa = keys.get('RS256')
      const mismatched: readonly (readonly [Algorithm, SigningKey, string])[] = [
        ['RS256', kinds.get('EC') ?? ec, 'an EC key'],
        ['ES256', kinds.get('RSA') ?? rsa, 'an RSA key'],
        ['EdDSA', kinds.get('EC') ?? ec, 'an EC key'],
      ]
      await refuseAll(
        bench,
        mismatched.map(([alg, key, whose]): Stimulus => {
          // The signature is right for the key: only a verifier that goes by the key alone accepts it.
          return [`${alg} with the kid of ${whose}`, mint({}, { key, header: { alg }, signAs: key.alg })]
        }),
      )
      if (!can('es256', 'ES256 by a key of another curve')) return
      const p384 = { ...mint({}, { key: keys.get('ES384'), header: { alg: 'ES256' } }), provenBy: 'ES256' as const }
      await refuseAll(bench, [['ES256 by a published P-384 key', p384]])
      if (!can('unusual-keys', 'ES256 by a secp256k1 key')) return
      const k1 = { ...mint({}, { key: keys.get('secp256k1'), header: { alg: 'ES256' } }), provenBy: 'ES256' as const }
      await refuseAll(bench, [['ES256 by a published secp256k1 key', k1]])
    },
  },
  {
    id: 'jwe-confusion',
    title: 'refuses encrypted tokens: encryption with a public key proves nothing',
    level: 'MUST',
    clause: ['rfc8725/encryption', 'rfc8725/all-operations'],
    needs: ['issuer', 'rsa-or-ec'],
    rationale: 'Anyone can encrypt to a public key, so a token that merely decrypts was written by anyone.',
    remedy: 'Refuse tokens of five parts, or require a signed token inside of an encrypted one.',
    async run(bench) {
      const { mint, encrypt, keys } = bench
      const claims = Buffer.from(octets(segmentsOf(mint().compact).payload)).toString()
      const bare = joined({ header: base64url('{"alg":"none"}'), payload: base64url(claims), signature: '' })
      const recipients = [
        ['RSA-OAEP-256', keys.get('RS256')],
        ['ECDH-ES', keys.get('ES256')],
      ] as const
      const stimuli = recipients.flatMap(([alg, key]): Stimulus[] =>
        (['A256GCM', 'A128CBC-HS256'] as const).flatMap((enc) => [
          [`claims encrypted with ${alg} and ${enc}`, encrypt(claims, { alg, enc, key })],
          [
            `an unsigned token encrypted with ${alg} and ${enc}`,
            encrypt(bare, { alg, enc, key, header: { cty: 'JWT' } }),
          ],
        ]),
      )
      await refuseAll(bench, stimuli)
    },
  },
]
