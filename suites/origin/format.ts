import type { OriginBench } from '../../harness/model/bench.ts'
import { defineSuite } from '../../harness/model/case.ts'
import { base64url, joined, octets, segmentsOf } from '../../harness/model/compact.ts'
import type { JsonObject } from '../../harness/model/json.ts'
import { altered } from '../../harness/model/token.ts'
import type { Token } from '../../harness/model/token.ts'
import { otherSubject, refuseAll } from '../stimuli.ts'
import type { Stimulus } from '../stimuli.ts'

function textOf(token: Token, part: 'header' | 'payload'): string {
  return Buffer.from(octets(segmentsOf(token.compact)[part])).toString('utf8')
}

function serializations(bench: OriginBench): readonly Stimulus[] {
  const { control } = bench
  const token = control()
  const { header, payload, signature } = segmentsOf(token.compact)
  const claims = JSON.parse(textOf(token, 'payload')) as JsonObject
  const forged = base64url(JSON.stringify({ ...claims, sub: otherSubject(bench) }))
  const flattened = { payload, protected: header, signature }
  const general = { payload, signatures: [{ protected: header, signature }] }
  // A reader that splits the text at dots sees the forged payload, one that parses JSON the signed one.
  const polyglot = `{"  ${header}.${forged}.":"","protected":"${header}","payload":"${payload}","signature":"${signature}"}`
  return [
    ['flattened JSON serialization of a valid token', altered(token, JSON.stringify(flattened))],
    ['general JSON serialization of a valid token', altered(token, JSON.stringify(general))],
    ['JSON and compact serialization in one text, with a forged payload', altered(token, polyglot)],
  ]
}

/** A token whose payload contains both characters in which base64url differs from base64. */
function withBothCharacters({ mint, guard }: OriginBench): Token {
  // Of three equal octets one ends a group of three, and its low six bits are a character: 62 for >, 63 for ?.
  const token = mint({ filler: '>>>???' })
  const { payload } = segmentsOf(token.compact)
  guard(payload.includes('-') && payload.includes('_'), 'The encoding of the payload does not contain - and _.')
  return token
}

function malformed(bench: OriginBench): readonly Stimulus[] {
  const { control, profile } = bench
  const token = control()
  const { compact } = token
  const { header, payload, signature } = segmentsOf(compact)
  const to = (text: string): Token => altered(token, text)
  const { scheme } = profile.token
  const values =
    scheme === ''
      ? ['', 'null', 'undefined', '.']
      : ['', scheme, `${scheme} null`, `${scheme} undefined`, `${scheme} .`]
  return [
    ['a fourth segment', to(`${compact}.x`)],
    ['a trailing dot', to(`${compact}.`)],
    ['a leading dot', to(`.${compact}`)],
    ['a doubled dot', to(`${header}..${payload}.${signature}`)],
    ['one segment', to(header)],
    ['six segments', to(`${compact}.${compact}`)],
    ['a space inside', to(`${header}. ${payload}.${signature}`)],
    ['a tab inside', to(`${header}.\t${payload}.${signature}`)],
    ['a dot written as %2E', to(`${header}%2E${payload}.${signature}`)],
    ['an octet that is not ASCII', to(`${header}.${payload}\u00e9.${signature}`)],
    ...values.map((value): Stimulus => [`the header value ${JSON.stringify(value)}`, { credentials: [value] }]),
  ]
}

/** The segment with the padding that base64 has, or one quantum of it where it needs none. */
function padded(segment: string): string {
  return `${segment}${'='.repeat((4 - (segment.length % 4)) % 4 || 4)}`
}

function utf16le(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf16le'))
}

function utf32le(text: string): Uint8Array {
  const points = Array.from(text, (character) => character.codePointAt(0) ?? 0)
  return new Uint8Array(Uint32Array.from(points).buffer)
}

/** The claims with an octet in a string that no UTF-8 text contains. */
function brokenUtf8(text: string): Uint8Array {
  const at = text.lastIndexOf('}')
  return new Uint8Array(
    Buffer.concat([Buffer.from(`${text.slice(0, at)},"x":"`), Buffer.of(0xff, 0xc0), Buffer.from('"}')]),
  )
}

function headers({ control, mint, keys }: OriginBench): readonly Stimulus[] {
  const good = control()
  const parts = segmentsOf(good.compact)
  const raw = (text: string | Uint8Array): Token => mint({}, { headerText: text })
  const { alg, kid } = keys.main
  return [
    ['header an array', raw('[]')],
    ['header a string', raw('"x"')],
    ['header null', raw('null')],
    ['header a number', raw('1')],
    ['header an empty object', raw('{}')],
    ['header empty', altered(good, joined(parts, { header: '' }))],
    ['header cut off', raw(`{"alg":"${alg}","kid":"${kid}`)],
    ['header of invalid UTF-8', raw(Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d))],
    ['header of invalid base64url', altered(good, joined(parts, { header: '!!!*' }))],
    ['header of an impossible length', altered(good, joined(parts, { header: `${parts.header}A`.slice(0, 5) }))],
  ]
}

/** Arrays are the shortest way down: the shallower text still fits a header section of 8 kB. */
function nested(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`
}

function hostile({ mint, control, can }: OriginBench): readonly Stimulus[] {
  const inside = (depth: number): Token => {
    const claims = textOf(mint(), 'payload')
    return mint({}, { payloadText: `${claims.slice(0, -1)},"deep":${nested(depth)}}` })
  }
  const headerInside = (depth: number): Token => {
    const header = textOf(mint(), 'header')
    return mint({}, { headerText: `${header.slice(0, -1)},"deep":${nested(depth)}}` })
  }
  const dots = altered(control(), '.'.repeat(7_500))
  return [
    ...Array.from({ length: 50 }, (_, index): Stimulus => [`7500 dots, request ${index + 1}`, dots]),
    ...[2_000, 10_000].flatMap((depth): Stimulus[] => [
      [`claims nested ${depth} deep`, inside(depth)],
      [`header nested ${depth} deep`, headerInside(depth)],
    ]),
    ...(can('issuer', 'signed tokens of hostile size') ? [6, 16, 64] : []).map((kilobytes): Stimulus => [
      `${kilobytes} kB of claims`,
      mint({ filler: 'x'.repeat(kilobytes * 1024) }),
    ]),
  ]
}

function percentile95(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0
}

/** Least budget for a control beside hostile requests, in milliseconds: below it, noise would decide. */
const LEAST_BUDGET_MS = 250

export default defineSuite({
  id: 'origin/format',
  title: 'Token format and parsing',
  cases: [
    {
      id: 'json-serialization',
      title: 'refuses the JSON serializations of a token',
      level: 'MUST',
      clause: ['rfc7519/introduction', 'cve-2022-39227'],
      needs: ['control'],
      rationale: 'A JWT is compact; code that also reads JSON can verify one payload and use another.',
      remedy: 'Split the token at its two dots, and refuse everything that is not three base64url segments.',
      async run(bench) {
        await refuseAll(bench, serializations(bench), otherSubject(bench))
      },
    },
    {
      id: 'malformed-compact',
      title: 'refuses tokens that are not exactly three base64url segments',
      level: 'MUST',
      clause: ['rfc7515/base64url', 'rfc7515/compact', 'rfc7515/validation', 'rfc6750/header'],
      needs: ['control'],
      rationale: 'Two readers that mend a malformed token differently see two tokens; caches and filters are fooled.',
      remedy: 'Refuse the token when it does not match three non-empty base64url segments joined by dots.',
      async run(bench) {
        await refuseAll(bench, malformed(bench))
        if (!bench.can('issuer', '+ and / in place of - and _')) return
        const token = withBothCharacters(bench)
        await bench.accepts(token, 'a token whose encoding contains - and _')
        const plain = token.compact.replaceAll('-', '+').replaceAll('_', '/')
        await refuseAll(bench, [['+ and / in place of - and _', altered(token, plain)]])
      },
    },
    {
      id: 'strict-encoding',
      title: 'refuses padded base64url and claims that are not UTF-8',
      level: 'SHOULD',
      clause: ['rfc7515/base64url', 'rfc8725/utf8'],
      needs: ['control', 'unpadded'],
      rationale: 'Several texts for one token defeat revocation by token text and confuse whatever logs it.',
      remedy: 'Decode base64url strictly, and decode the claims as UTF-8 with errors turned into refusals.',
      async run(bench) {
        const { control, mint, can } = bench
        const token = control()
        const { header, payload, signature } = segmentsOf(token.compact)
        await refuseAll(bench, [
          ['"=" after the header', altered(token, `${header}=.${payload}.${signature}`)],
          ['"=" after the payload', altered(token, `${header}.${payload}=.${signature}`)],
          ['"=" after the signature', altered(token, `${header}.${payload}.${signature}=`)],
          ['padding of base64 after the signature', altered(token, `${header}.${payload}.${padded(signature)}`)],
        ])
        if (!can('issuer', 'signed claims in other encodings')) return
        const text = textOf(mint(), 'payload')
        await refuseAll(bench, [
          ['claims in UTF-16', mint({}, { payloadText: utf16le(text) })],
          ['claims in UTF-32', mint({}, { payloadText: utf32le(text) })],
          ['claims in broken UTF-8', mint({}, { payloadText: brokenUtf8(text) })],
        ])
      },
    },
    {
      id: 'payload-not-object',
      title: 'refuses signed payloads that are not a JSON object, and survives them',
      level: 'MUST',
      clause: ['rfc7519/validation'],
      needs: ['issuer'],
      rationale: 'Code that reads a claim of null throws; in a callback that ends the process.',
      remedy: 'Check that the parsed payload is an object before reading a claim from it.',
      async run(bench) {
        const { mint } = bench
        const text = textOf(mint(), 'payload')
        const payloads: readonly (readonly [string, string])[] = [
          ['payload an array', '[1]'],
          ['payload a string', '"x"'],
          ['payload a number', '1'],
          ['payload null', 'null'],
          ['payload cut off', '{"iss":'],
          ['payload with text after its end', `${text}x`],
        ]
        await refuseAll(bench, [
          ...payloads.map(([name, payloadText]): Stimulus => [name, mint({}, { payloadText })]),
          ['payload empty', mint({}, { payloadText: new Uint8Array() })],
        ])
      },
    },
    {
      id: 'header-not-object',
      title: 'refuses tokens whose header is not a JSON object, and survives them',
      level: 'MUST',
      clause: ['rfc7519/validation'],
      needs: [],
      rationale: 'Anyone can send such a header without any key: an exception here is a way to flood the alarms.',
      remedy: 'Parse the header inside of the same error handling as the verification, and answer 401.',
      async run(bench) {
        await refuseAll(bench, headers(bench))
      },
    },
    {
      id: 'duplicate-members',
      title: 'refuses repeated members, or takes the last one',
      level: 'MUST',
      clause: ['rfc7515/jose-header', 'rfc7519/claims'],
      needs: [],
      rationale: 'Where one reader takes the first and another the last, a check and its use see different values.',
      remedy: 'Use a JSON parser that refuses repeated names, or one that takes the last of them everywhere.',
      async run(bench) {
        const { mint, now, keys, can, profile } = bench
        const { alg, kid } = keys.main
        const headerText = `{"alg":"${alg}","kid":"${kid}","alg":"none"}`
        await refuseAll(bench, [
          ['alg twice, the second "none", unsigned', mint({}, { headerText, signature: new Uint8Array() })],
        ])
        if (!can('issuer', 'signed claims with repeated members')) return
        const text = textOf(mint({ exp: undefined }), 'payload')
        const twice = `${text.slice(0, -1)},"exp":${now() + 240},"exp":${now() - 3_600}}`
        await refuseAll(bench, [['exp twice, future and then past', mint({}, { payloadText: twice })]])
        if (!can('audience', 'aud twice, right and then wrong')) return
        const bare = textOf(mint({ aud: undefined }), 'payload')
        const [right, wrong] = [JSON.stringify(profile.audience), JSON.stringify('https://other.example.com')]
        const both = `${bare.slice(0, -1)},"aud":${right},"aud":${wrong}}`
        await refuseAll(bench, [['aud twice, right and then wrong', mint({}, { payloadText: both })]])
      },
    },
    {
      id: 'name-case',
      title: 'compares the names of claims with regard to case',
      level: 'SHOULD',
      clause: ['rfc7519/claims', 'rfc7519/claim-names'],
      needs: ['issuer'],
      rationale: 'A decoder that folds case lets a second claim override the one that was checked.',
      remedy: 'Decode the claims into a map with exact names rather than into a structure matched by name.',
      async run(bench) {
        const { mint, now, can, profile } = bench
        await refuseAll(bench, [
          [
            'exp past, EXP future',
            mint({ exp: now() - 3_600, iat: now() - 7_200, nbf: now() - 7_200, EXP: now() + 240 }),
          ],
        ])
        if (!can('audience', 'AUD right, aud wrong')) return
        // A decoder that folds case takes the first or the last of the two: either order betrays one kind.
        const aud = 'https://other.example.com'
        const rest = textOf(mint({ aud: undefined }), 'payload').slice(1)
        const rightFirst = `{"AUD":${JSON.stringify(profile.audience)},"aud":${JSON.stringify(aud)},${rest}`
        await refuseAll(bench, [
          ['AUD right, aud wrong', mint({}, { payloadText: rightFirst })],
          ['aud wrong, AUD right', mint({ aud, AUD: profile.audience })],
        ])
      },
    },
    {
      id: 'hostile-size',
      title: 'survives long, deep and dotted tokens without slowing others down',
      level: 'SHOULD',
      clause: ['cve-2025-30204', 'cwe-674', 'rfc6585/431'],
      needs: ['control'],
      runs: 'alone',
      rationale: 'A few requests that cost seconds each take the origin down for everyone, and need no key.',
      remedy: 'Limit the length of the token before it is split, and the nesting before it is walked.',
      async run(bench) {
        const { control, accepts, survives, judge, records } = bench
        const latencies = async (count: number): Promise<number[]> => {
          const values: number[] = []
          for (let at = 0; at < count; at += 1)
            values.push((await accepts(control(), `valid token ${at + 1} alone`)).ms)
          return values
        }
        const baseline = percentile95(await latencies(20))
        const stimuli = hostile(bench)
        const beside: number[] = []
        for (let at = 0; at < stimuli.length; at += 5) {
          const group = stimuli.slice(at, at + 5).map(([name, probe]) => survives(probe, name))
          const [answer] = await Promise.all([
            accepts(control(), `valid token beside hostile ones, ${at + 1}`),
            ...group,
          ])
          beside.push(answer.ms)
        }
        const budget = Math.max(5 * baseline, LEAST_BUDGET_MS)
        const slowest = percentile95(beside)
        records('p95 of a valid token alone, ms', Math.round(baseline))
        records('p95 of a valid token beside hostile ones, ms', Math.round(slowest))
        judge(slowest < budget, {
          stimulus: 'valid tokens beside hostile ones',
          expected: `95 of 100 answered within ${Math.round(budget)} ms`,
          observed: `${Math.round(slowest)} ms`,
        })
      },
    },
    {
      id: 'tolerates-optional',
      title: 'accepts members that it does not know, and tokens without nbf',
      level: 'SHOULD',
      clause: ['rfc7515/jose-header', 'rfc7519/claims', 'rfc7519/nbf'],
      needs: ['issuer'],
      rationale: 'A gateway that adds a claim would lock every caller out of an origin that refuses it.',
      remedy: 'Ignore header members and claims that you do not know; leave nbf optional.',
      async run(bench) {
        const { mint, accepts, refuses, can, now } = bench
        const extra = { header: { 'x-conf': true, ver: '2' } }
        await accepts(mint({ x_conf: { a: [1] } }, extra), 'unknown header members and claims')
        await refuses(
          mint({ x_conf: { a: [1] }, exp: now() - 3_600, iat: now() - 7_200, nbf: now() - 7_200 }, extra),
          'the same, expired',
        )
        if (can('nbf-optional', 'no nbf')) await accepts(mint({ nbf: undefined }), 'no nbf')
      },
    },
  ],
})
