import { createHash } from 'node:crypto'
import { defineSuite } from '../../harness/model/case.ts'
import { NotApplicable } from '../../harness/model/errors.ts'
import type { GatewayBench } from '../../harness/model/gateway-bench.ts'
import type { ApiKey } from '../../harness/model/gateway-profile.ts'
import type { Answer } from '../../harness/model/http.ts'
import { forgeriesOf } from '../alerts/forgeries.ts'
import { listIsAway } from '../alerts/list-is-away.ts'
import { tellTheSame } from '../alerts/same-answer.ts'

/** Matches of a large alert, and how long its answer may take, in milliseconds. */
const BATCH = 500
const BATCH_MS = 30_000

/** Fetches of the list of keys that 20 alerts may cause. */
const MOST_FETCHES = 3

/** Calls that make every cache know a key. */
const WARM = 10

const NEVER_ISSUED = 'tsk_never-issued-by-anybody-0123456789ab'

function accepted({ judge }: GatewayBench, stimulus: string, { status, failure }: Answer): void {
  judge(status >= 200 && status < 300, {
    stimulus,
    expected: 'answered with 2xx',
    observed: failure ?? `status ${status}`,
    failure: failure !== undefined || status >= 500 ? 'fail-crash' : 'fail-closed',
  })
}

function rejected({ judge }: GatewayBench, stimulus: string, { status, failure }: Answer): void {
  judge(status >= 400 && status < 500, {
    stimulus,
    expected: 'answered with 4xx',
    observed: failure ?? `status ${status}`,
    failure: status >= 200 && status < 300 ? 'fail-open' : 'fail-crash',
  })
}

/** The key must be refused once the declared time has passed. */
async function isRevoked(bench: GatewayBench, keys: readonly ApiKey[], stimulus: string): Promise<void> {
  const { elapse, profile, refuses } = bench
  const { propagationSec = 0 } = profile.secretScanning ?? {}
  if (propagationSec > 0) await elapse(propagationSec)
  for (const key of keys) await refuses({ key }, stimulus)
}

export default defineSuite({
  id: 'gateway/leaked-keys',
  title: 'Leaked-key revocation (secret scanning partner protocol)',
  cases: [
    {
      id: 'alert-revokes',
      title: 'refuses a key once a signed alert has reported it as leaked',
      level: 'MUST',
      clause: ['github/secret-scanning'],
      needs: ['secret-scanning', 'fresh-keys'],
      runs: 'alone',
      rationale: 'A key in a public repository is used within minutes: what the scanner reports has to stop working.',
      remedy: 'Answer 2xx to a signed alert, revoke the key, and drop it from every cache of every instance.',
      async run(bench) {
        const { freshKey, forwards, scanner, can, refuses, keys } = bench
        const key = await freshKey()
        for (let use = 1; use <= WARM; use += 1) await forwards({ key }, `use ${use} before the alert`)
        const second = can('instances', 'the key at the second instance')
        if (second) await forwards({ key, instance: 1 }, 'use at the second instance before the alert')
        const body = scanner.bodyOf({ token: key.key, url: 'https://example.com/leak' })
        accepted(bench, 'a signed alert about a live key', await scanner.post(body, 'a signed alert about a live key'))
        await isRevoked(bench, [key], 'the reported key')
        if (second) await refuses({ key, instance: 1 }, 'the reported key at the second instance')
        const [main] = keys
        if (main) await forwards({ key: main }, 'a key that was not reported')
      },
    },
    {
      id: 'forged-alert',
      title: 'believes no alert that is not signed by a published key',
      level: 'MUST',
      clause: ['github/secret-scanning', 'cwe-347'],
      needs: ['secret-scanning', 'fresh-keys'],
      runs: 'alone',
      rationale: 'Who can forge an alert can shut any consumer out whose key he knows, or guess at keys.',
      remedy: 'Verify the ECDSA signature over the raw body with the published key that the identifier names.',
      async run(bench) {
        const { freshKey, forwards, scanner, guard, observes } = bench
        const reported = await freshKey()
        await forwards({ key: reported }, 'a key before a genuine alert about it')
        const genuine = scanner.bodyOf({ token: reported.key })
        const { status } = await scanner.post(genuine, 'a genuine alert about another key')
        const { answer } = await observes({ key: reported }, 'that key after the alert')
        guard(
          status < 300 && answer.outcome === 'refused',
          'A genuine alert does not revoke, so that forged ones prove nothing.',
        )
        const key = await freshKey()
        await forwards({ key }, 'the key before any forged alert')
        for (const [name, body, headers] of forgeriesOf(scanner, key.key)) {
          rejected(bench, name, await scanner.post(body, name, headers))
          await forwards({ key }, `the key after: ${name}`)
        }
      },
    },
    {
      id: 'raw-body',
      title: 'verifies alerts over the octets that were sent',
      level: 'MUST',
      clause: ['github/secret-scanning'],
      needs: ['secret-scanning', 'fresh-keys'],
      runs: 'alone',
      rationale: 'A receiver that parses and writes the body anew drops genuine alerts, and leaked keys live on.',
      remedy: 'Verify the signature over the raw octets of the body before anything parses it.',
      async run(bench) {
        const { freshKey, forwards, scanner } = bench
        const forms: readonly (readonly [string, (token: string, type: string) => string])[] = [
          ['indented', (token, type) => JSON.stringify([{ token, type, url: '', source: 'content' }], undefined, 4)],
          [
            'letters as \\u escapes',
            (token, type) => `[{"token":"${escaped(token)}","type":"${escaped(type)}","url":""}]`,
          ],
          ['members in another order', (token, type) => JSON.stringify([{ url: '', source: 'content', type, token }])],
          ['a line feed at the end', (token, type) => `${JSON.stringify([{ token, type, url: '' }])}\n`],
        ]
        const { type } = bench.profile.secretScanning ?? { type: '' }
        for (const [name, write] of forms) {
          const key = await freshKey()
          await forwards({ key }, `the key before: ${name}`)
          accepted(bench, name, await scanner.post(write(key.key, type), name))
          await isRevoked(bench, [key], `the key after: ${name}`)
        }
      },
    },
    {
      id: 'key-list',
      title: 'takes the keys of the scanner from its list, and fetches that seldom',
      level: 'MUST',
      clause: ['github/secret-scanning', 'cwe-636'],
      needs: ['secret-scanning', 'fresh-keys'],
      runs: 'alone',
      rationale: 'The scanner changes its keys; a receiver that lags or stops checking when the list is away fails.',
      remedy: 'Fetch the list for an unknown identifier, keep it for a while, and refuse while no key can be had.',
      async run(bench) {
        const { freshKey, forwards, scanner, elapse, profile, judge, guard, records, notProven, can } = bench
        const { keyListMaxAgeSec = 0 } = profile.secretScanning ?? {}
        const key = await freshKey()
        const body = scanner.bodyOf({ token: key.key })
        const later = scanner.newKey()
        await forwards({ key }, 'the key before any alert')

        const unlisted = 'an identifier that is not in the list'
        rejected(bench, unlisted, await scanner.post(body, unlisted, scanner.headersFor(body, later)))
        await forwards({ key }, `the key after: ${unlisted}`)

        if (keyListMaxAgeSec > 2 && !can('clock', 'a list that has changed, or is away')) {
          notProven('a list that is away', 'the list is kept for long', '"keyListMaxAgeSec": 2 or less in the profile')
        } else {
          scanner.publish(later)
          await elapse(keyListMaxAgeSec + 1)
          const listed = 'an identifier that has come into the list'
          accepted(bench, listed, await scanner.post(body, listed, scanner.headersFor(body, later)))
          await isRevoked(bench, [key], 'the key after the list has changed')
          const other = await listIsAway(bench)
          await elapse(keyListMaxAgeSec + 1)
          const back = 'an alert once the list is back'
          accepted(bench, back, await scanner.post(scanner.bodyOf({ token: other.key }), back))
          await isRevoked(bench, [other], 'the key once the list is back')
        }

        const before = scanner.fetches()
        for (let count = 1; count <= 20; count += 1) {
          const alert = scanner.bodyOf({ token: `${NEVER_ISSUED}${count}` })
          accepted(bench, `alert ${count} of 20`, await scanner.post(alert, `alert ${count} of 20`))
        }
        const fetches = scanner.fetches() - before
        guard(scanner.fetches() > 0, 'The list was never fetched from the run.')
        records('fetches of the list for 20 alerts', fetches)
        judge(fetches <= MOST_FETCHES, {
          stimulus: '20 alerts',
          expected: `at most ${MOST_FETCHES} fetches of the list`,
          observed: `${fetches} fetches`,
        })
      },
    },
    {
      id: 'no-oracle',
      title: 'answers unsigned alerts alike, whether the token is live or not',
      level: 'MUST',
      clause: ['cwe-204'],
      needs: ['secret-scanning', 'fresh-keys'],
      runs: 'alone',
      rationale:
        'A receiver that tells a live key from a random text lets anybody test keys, unseen and without limit.',
      remedy: 'Answer every alert that is not signed in the same way, before it is looked at.',
      async run(bench) {
        const { scanner, freshKey, forwards, judge, nonce } = bench
        // Not a key of the run: a receiver that believes anything would revoke it.
        const key = await freshKey()
        await forwards({ key }, 'the key before any alert')
        const send = (token: string, stimulus: string) => scanner.post(scanner.bodyOf({ token }), stimulus, [])
        const twice = [
          await send(NEVER_ISSUED, 'a token that is not live'),
          await send(NEVER_ISSUED, 'the same again'),
        ] as const
        const stimulus = 'a live token, unsigned'
        const live = await send(key.key, stimulus)
        const other = await send(`tsk_${nonce()}`, 'a random token, unsigned')
        for (const answer of [twice[0], other]) {
          judge(tellTheSame(live, answer, twice), {
            stimulus,
            expected: 'the status and the body of an alert about a random token',
            observed: live.status === answer.status ? 'another body' : `status ${live.status}, not ${answer.status}`,
            failure: 'fail-open',
          })
        }
      },
    },
    {
      id: 'batch',
      title: 'revokes every live key of an alert with many matches, and no other',
      level: 'SHOULD',
      clause: ['github/secret-scanning'],
      needs: ['secret-scanning', 'fresh-keys'],
      runs: 'alone',
      rationale: 'A scanner sends what it finds in one push at once, among it much that is not live.',
      remedy: 'Look at every match of an alert, and revoke exactly the keys that match as a whole.',
      async run(bench) {
        const { freshKey, forwards, scanner, judge } = bench
        const [first, last, third] = [await freshKey(), await freshKey(), await freshKey()]
        for (const key of [first, last, third]) await forwards({ key }, 'a key before the alert')
        const matches = Array.from({ length: BATCH }, (_, at) => ({ token: `${NEVER_ISSUED}${at}` }))
        matches[BATCH >> 1] = { token: first.key }
        matches[BATCH - 1] = { token: last.key }
        // Not the key, but all of its beginning.
        matches[1] = { token: third.key.slice(0, -1) }
        const stimulus = `${BATCH} matches, 2 of them live`
        const answer = await scanner.post(scanner.bodyOf(...matches), stimulus)
        accepted(bench, stimulus, answer)
        judge(answer.ms < BATCH_MS, { stimulus, expected: 'within 30 s', observed: `${Math.round(answer.ms)} ms` })
        await isRevoked(bench, [first, last], 'a live key of the alert')
        await forwards({ key: third }, 'a key of which the alert has the beginning alone')
      },
    },
    {
      id: 'tolerant-receiver',
      title: 'takes odd alerts without failing, and refuses malformed ones',
      level: 'SHOULD',
      clause: ['github/secret-scanning', 'cwe-754'],
      needs: ['secret-scanning', 'fresh-keys'],
      runs: 'alone',
      rationale: 'A receiver that fails on one odd match is sent the alert again, and again, and drops the rest of it.',
      remedy: 'Answer 2xx to every well-formed alert, whatever of it is known; 4xx to what is no list of matches.',
      async run(bench) {
        const { freshKey, forwards, scanner, judge, keys } = bench
        const key = await freshKey()
        await forwards({ key }, 'a key before the alerts')
        const { type } = bench.profile.secretScanning ?? { type: '' }
        const post = (name: string, body: string) => scanner.post(body, name)
        const wellFormed: readonly (readonly [string, string])[] = [
          ['a token that was never issued', scanner.bodyOf({ token: NEVER_ISSUED })],
          ['a token of another type', scanner.bodyOf({ token: NEVER_ISSUED, type: 'another_type' })],
          ['a match without url', JSON.stringify([{ token: NEVER_ISSUED, type }])],
          ['a live key', scanner.bodyOf({ token: key.key })],
          ['the same alert again', scanner.bodyOf({ token: key.key })],
        ]
        for (const [name, body] of wellFormed) accepted(bench, name, await post(name, body))
        for (const [name, body] of [
          ['a body that is no JSON', 'token'],
          ['an object in place of the list', JSON.stringify({ token: NEVER_ISSUED, type })],
        ] as const) {
          rejected(bench, name, await post(name, body))
        }
        // Whether there is an alert without a match is for the receiver to say; how much it reads, too.
        for (const [name, body] of [
          ['an empty list', '[]'],
          ['10 MB', JSON.stringify([{ token: 'x'.repeat(10 * 1024 * 1024), type }])],
        ] as const) {
          const { status } = await post(name, body)
          judge(status < 500, {
            stimulus: name,
            expected: 'no 5xx',
            observed: `status ${status}`,
            failure: 'fail-crash',
          })
        }
        await isRevoked(bench, [key], 'the live key that was reported twice')
        for (const other of keys) await forwards({ key: other }, 'a key that was not reported')
      },
    },
    {
      id: 'feedback',
      title: 'gives feedback on an alert in the form of the protocol, and true',
      level: 'MUST',
      clause: ['github/secret-scanning'],
      needs: ['secret-scanning', 'fresh-keys'],
      runs: 'alone',
      rationale: 'The scanner learns from feedback; a wrong label hides real leaks, a raw token in it leaks once more.',
      remedy: 'Give for each match token_raw or token_hash, token_type and label: true_positive or false_positive.',
      async run(bench) {
        const { freshKey, forwards, scanner, judge } = bench
        const key = await freshKey()
        await forwards({ key }, 'the key before the alert')
        const { type } = bench.profile.secretScanning ?? { type: '' }
        const stimulus = 'an alert about a live key and a random token'
        const answer = await scanner.post(scanner.bodyOf({ token: key.key }, { token: NEVER_ISSUED }), stimulus)
        accepted(bench, stimulus, answer)
        const items = listIn(answer.body)
        if (!items) throw new NotApplicable('The receiver gives no feedback.')
        const labels = new Map([
          [key.key, 'true_positive'],
          [NEVER_ISSUED, 'false_positive'],
        ])
        for (const [at, item] of items.entries()) {
          const wrong = wrongIn(item, type, labels)
          judge(wrong === undefined, {
            stimulus,
            expected: 'feedback of the protocol',
            observed: `item ${at + 1}: ${wrong}`,
          })
        }
      },
    },
  ],
})

function escaped(text: string): string {
  return text.replaceAll(
    /[a-z]/gu,
    (letter) => String.raw`\u${(letter.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
}

function listIn(body: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** What is wrong with an item of feedback, without its token; undefined where nothing is. */
function wrongIn(item: unknown, type: string, labels: ReadonlyMap<string, string>): string | undefined {
  if (typeof item !== 'object' || item === null) return 'no object'
  const { token_raw: raw, token_hash: hashed, token_type: kind, label } = item as Readonly<Record<string, unknown>>
  if ((raw === undefined) === (hashed === undefined)) return 'token_raw and token_hash, or neither'
  if (kind !== type) return 'another token_type'
  const found = [...labels].find(
    ([token]) => raw === token || hashed === createHash('sha256').update(token).digest('hex'),
  )
  if (!found) return 'a token that was not reported, or no SHA-256 in hexadecimal digits'
  return label === found[1] ? undefined : `the label ${JSON.stringify(label)} in place of ${found[1]}`
}
