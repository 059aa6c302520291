import type { OriginBench } from '../../harness/model/bench.ts'
import type { ConformanceCase } from '../../harness/model/case.ts'
import { base64url, derOfRawEcdsa, flipBit, joined, octets, segmentsOf } from '../../harness/model/compact.ts'
import type { Json, JsonObject } from '../../harness/model/json.ts'
import { altered } from '../../harness/model/token.ts'
import type { PublishedAlgorithm, Token } from '../../harness/model/token.ts'
import { otherSubject, refuseAll } from '../stimuli.ts'
import type { Stimulus } from '../stimuli.ts'

function objectOf(segment: string): Readonly<Record<string, Json>> {
  return JSON.parse(Buffer.from(octets(segment)).toString('utf8')) as JsonObject
}

function tampered(bench: OriginBench): readonly Stimulus[] {
  const token = bench.control()
  const parts = segmentsOf(token.compact)
  const signature = octets(parts.signature)
  const signed = (bytes: Uint8Array): Token => altered(token, joined(parts, { signature: base64url(bytes) }))
  const claims = { ...objectOf(parts.payload), sub: otherSubject(bench) }
  const header = objectOf(parts.header)
  const middle = Math.floor(signature.length / 2)
  return [
    ['signature emptied', altered(token, joined(parts, { signature: '' }))],
    ['signature removed with its dot', altered(token, `${parts.header}.${parts.payload}`)],
    ['one bit of the first octet of the signature flipped', signed(flipBit(signature, 0))],
    ['one bit in the middle of the signature flipped', signed(flipBit(signature, middle))],
    ['one bit of the last octet of the signature flipped', signed(flipBit(signature, -1))],
    ['last octet of the signature dropped', signed(signature.subarray(0, -1))],
    ['a zero octet appended to the signature', signed(Uint8Array.from([...signature, 0]))],
    ['sub changed to another subject', altered(token, joined(parts, { payload: base64url(JSON.stringify(claims)) }))],
    [
      'typ of the header changed',
      altered(token, joined(parts, { header: base64url(JSON.stringify({ ...header, typ: 'jwt+x' })) })),
    ],
  ]
}

interface Curve {
  readonly role: PublishedAlgorithm
  /** Octets of r and of s. */
  readonly size: number
  /** Order of the group (SEC 2). */
  readonly order: bigint
}

const CURVES: readonly Curve[] = [
  { role: 'ES256', size: 32, order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n },
  {
    role: 'ES384',
    size: 48,
    order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  {
    role: 'ES512',
    size: 66,
    order:
      0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  },
]

/** Order of the group of Ed25519 (RFC 8032 section 5.1). */
const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

function bigEndian(value: bigint, size: number): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(size * 2, '0'), 'hex'))
}

function littleEndian(value: bigint, size: number): Uint8Array {
  return bigEndian(value, size).toReversed()
}

/**
 * A valid token with that algorithm: the control, where it has it, or one of ours; undefined where neither is at
 * hand. The forgeries need no key, so that a token of the user is enough.
 */
function tokenOf({ control, mint, keys, can }: OriginBench, algorithm: PublishedAlgorithm): Token | undefined {
  const token = control()
  if (objectOf(segmentsOf(token.compact).header)['alg'] === algorithm) return token
  return can('issuer', `${algorithm} signatures`) ? mint({}, { key: keys.get(algorithm) }) : undefined
}

/** The token with another signature, made of the one that it has. */
function resigned(token: Token, change: (signature: Uint8Array) => Uint8Array): Token {
  const parts = segmentsOf(token.compact)
  return altered(token, joined(parts, { signature: base64url(change(octets(parts.signature))) }))
}

function degenerateEcdsa(token: Token, { role, size, order }: Curve): readonly Stimulus[] {
  const pairs: readonly (readonly [string, bigint, bigint])[] = [
    ['r = 0, s = 0', 0n, 0n],
    ['r = 0, s = 1', 0n, 1n],
    ['r = 1, s = 0', 1n, 0n],
    ['r = n, s = n', order, order],
    ['r = 1, s = 1', 1n, 1n],
    ['r = n - 1, s = 0', order - 1n, 0n],
  ]
  return pairs.map(([name, r, s]): Stimulus => {
    const signature = Uint8Array.from([...bigEndian(r, size), ...bigEndian(s, size)])
    return [`${role} signature with ${name}`, resigned(token, () => signature)]
  })
}

function degenerateEd(token: Token, role: PublishedAlgorithm): readonly Stimulus[] {
  const plusOrder = (signature: Uint8Array): Uint8Array => {
    const s = BigInt(`0x${Buffer.from(signature.subarray(32).toReversed()).toString('hex')}`)
    return Uint8Array.from([...signature.subarray(0, 32), ...littleEndian(s + ED25519_ORDER, 32)])
  }
  const identity = Uint8Array.from({ length: 64 }, (_, index) => (index === 0 ? 1 : 0))
  return [
    [`${role} signature of 64 zero octets`, resigned(token, () => new Uint8Array(64))],
    [`${role} signature with R the identity and S = 0`, resigned(token, () => identity)],
    [`${role} signature with S + L for S`, resigned(token, plusOrder)],
  ]
}

function reencoded(token: Token, { role, size }: Curve): readonly Stimulus[] {
  const resized = (length: number) => (raw: Uint8Array) => {
    const bytes = new Uint8Array(length)
    bytes.set(raw.subarray(0, length))
    return bytes
  }
  const lengths = [size * 2 - 1, size * 2 + 1, size * 3, 132].filter((length) => length !== size * 2)
  return [
    [`${role} signature in DER`, resigned(token, derOfRawEcdsa)],
    ...[...new Set(lengths)].map((length): Stimulus => [
      `${role} signature of ${length} octets`,
      resigned(token, resized(length)),
    ]),
  ]
}

/** Cases about the octets of the signature, and about headers that change what is signed. */
export const octetCases: readonly ConformanceCase[] = [
  {
    id: 'tampered',
    title: 'refuses a token any part of which was altered',
    level: 'MUST',
    clause: ['rfc7515/validation', 'rfc7515/compact', 'cwe-347'],
    needs: ['control'],
    rationale: 'If one octet can change unnoticed, a caller can be anyone.',
    remedy: 'Verify the signature over the header and the payload exactly as they were received.',
    async run(bench) {
      await refuseAll(bench, tampered(bench), otherSubject(bench))
    },
  },
  {
    id: 'signature-transplanted',
    title: 'refuses a signature that was made for another token, whatever it has cached',
    level: 'MUST',
    clause: ['rfc7515/validation'],
    needs: ['issuer'],
    rationale: 'A cache of verified tokens whose key is less than the whole token hands out other identities.',
    remedy: 'Key any cache of verified tokens by the whole token, or do not cache.',
    async run(bench) {
      const { mint, accepts, refuses, profile, nonce } = bench
      const [first, second] = profile.subjects
      const jti = nonce()
      const longest = Math.max(first.length, second.length)
      const claimsFor = (sub: string): JsonObject => ({ sub, jti, pad: 'x'.repeat(longest - sub.length) })
      const one = mint(claimsFor(first))
      const other = mint(claimsFor(second))
      const parts = segmentsOf(one.compact)
      const otherParts = segmentsOf(other.compact)
      await accepts(one, 'a valid token')
      await refuses(
        altered(one, joined(otherParts, { signature: parts.signature })),
        'the claims of another subject under a signature that was just accepted',
        second,
      )
      await refuses(
        altered(one, joined(parts, { signature: otherParts.signature })),
        'claims that were just accepted under the signature of another token',
        first,
      )
    },
  },
  {
    id: 'degenerate-signature',
    title: 'refuses signatures whose numbers are out of range',
    level: 'MUST',
    clause: ['cve-2022-21449', 'rfc8032/verify', 'rfc7518/ecdsa'],
    needs: ['control', 'ec-or-ed'],
    rationale: 'A verifier that forgets the range checks accepts a signature of zeros for every token.',
    remedy: 'Update the cryptographic library; range checks belong to it.',
    async run(bench) {
      const { algorithms } = bench.profile
      for (const curve of CURVES.filter(({ role }) => algorithms.includes(role))) {
        const token = tokenOf(bench, curve.role)
        if (token) await refuseAll(bench, degenerateEcdsa(token, curve))
      }
      for (const role of (['EdDSA', 'Ed25519'] as const).filter((name) => algorithms.includes(name))) {
        const token = tokenOf(bench, role)
        if (token) await refuseAll(bench, degenerateEd(token, role))
      }
    },
  },
  {
    id: 'ecdsa-encoding',
    title: 'refuses ECDSA signatures in DER or of another length',
    level: 'MUST',
    clause: ['rfc7518/ecdsa'],
    needs: ['control', 'ec'],
    rationale: 'Several encodings for one signature defeat replay checks, and odd lengths crash naive parsers.',
    remedy: 'Check that the signature has exactly the length of R and S, and answer 401 otherwise.',
    async run(bench) {
      for (const curve of CURVES.filter(({ role }) => bench.profile.algorithms.includes(role))) {
        const token = tokenOf(bench, curve.role)
        if (token) await refuseAll(bench, reencoded(token, curve))
      }
    },
  },
  {
    id: 'crit-unknown',
    title: 'refuses a token that lists an extension it does not know in crit',
    level: 'MUST',
    clause: ['rfc7515/crit'],
    needs: ['issuer'],
    rationale: 'The issuer said that the token must not be used by whoever does not understand it.',
    remedy: 'Refuse every token that has crit, unless you implement each extension that it lists.',
    snippets: {
      jsonwebtoken: "if ('crit' in jwt.decode(token, { complete: true }).header) throw new Error('crit')",
      'python-jose': "if 'crit' in jwt.get_unverified_header(token): raise JWTError('crit')",
      'golang-jwt': 'if _, ok := token.Header["crit"]; ok { return nil, jwt.ErrTokenUnverifiable }',
    },
    async run(bench) {
      const { mint, observes, records } = bench
      const inert = await observes(mint({}, { header: { 'x-conf': true } }), 'an unknown header member without crit')
      records('an unknown header member without crit', inert.outcome)
      await refuseAll(bench, [
        ['crit with an unknown extension', mint({}, { header: { crit: ['x-conf'], 'x-conf': true } })],
        ['crit with an extension that is not in the header', mint({}, { header: { crit: ['x-conf'] } })],
      ])
    },
  },
  {
    id: 'b64-false',
    title: 'refuses a token with b64 false',
    level: 'MUST',
    clause: ['rfc7797/jwt'],
    needs: ['issuer'],
    rationale: 'With an unencoded payload two readers can see two tokens in the same text.',
    remedy: 'Refuse every token whose header has b64 or crit.',
    snippets: {
      jsonwebtoken: "if ('b64' in jwt.decode(token, { complete: true }).header) throw new Error('b64')",
    },
    async run(bench) {
      const { mint } = bench
      const header = { b64: false, crit: ['b64'] }
      // RFC 7797 section 5.2: an unencoded payload holds no dot in compact form; JSON can spell it.
      const claims = Buffer.from(octets(segmentsOf(mint().compact).payload)).toString('utf8')
      const payloadText = claims.replaceAll('.', String.raw`\u002e`)
      await refuseAll(bench, [
        ['b64 false, the payload unencoded', mint({}, { header, payloadText, unencodedPayload: true })],
        ['b64 false, the payload encoded all the same', mint({}, { header })],
      ])
    },
  },
]
