import { describe, expect, test } from 'vitest'
import type { Answer } from '../model/http.ts'
import { hiddenKeys, hiddenToken, maskOf } from './mask.ts'
import { masked, withoutTokens } from './masked.ts'

const SIGNATURE = 'Zm9yLXRlc3RzLW9ubHktbm90LWEtc2lnbmF0dXJlLWF0LWFsbA'
const HEADER = Buffer.from('{"alg":"RS256","kid":"one"}').toString('base64url')
const CLAIMS = Buffer.from('{"iss":"https://issuer.example.com","sub":"ada"}').toString('base64url')
const TOKEN = `${HEADER}.${CLAIMS}.${SIGNATURE}`
const KEY = 'tsk_Q7wZr2Xk9VbN4tLm8PsD3f'
const hide = maskOf([...hiddenToken(TOKEN), ...hiddenKeys([KEY])])

const reversed = (text: string): string => text.split('').toReversed().join('')

describe('what must not be read in a report', () => {
  test('becomes a word where it stands as it is', () => {
    expect(hide(`Bearer ${TOKEN}`)).toBe('Bearer $TOKEN')
    expect(hide(`key=${KEY}&x=1`)).toBe('key=$API_KEY&x=1')
    expect(hide(`${HEADER}.${CLAIMS}.other`)).toBe('$TOKEN_PART.$TOKEN_PART.other')
  })

  test.each<readonly [string, string]>([
    ['base64', Buffer.from(`of ${TOKEN}`).toString('base64')],
    ['base64 of base64', Buffer.from(Buffer.from(KEY).toString('base64')).toString('base64')],
    ['percent-encoding', encodeURIComponent(`a ${KEY}`).replaceAll('_', '%5F')],
    ['hexadecimal digits', Buffer.from(KEY).toString('hex')],
    ['reversed', reversed(TOKEN)],
    ['the key reversed', reversed(KEY)],
    ['in other case', KEY.toUpperCase()],
    ['a slice of the signature', `signed with ${SIGNATURE.slice(7, 7 + 12)}`],
    ['a signature with one octet changed', `${HEADER}.${CLAIMS}.A${SIGNATURE.slice(1)}`],
    ['a slice of the key', KEY.slice(3, 15)],
  ])('goes as a whole in %s', (_, text) => {
    expect(hide(text)).toMatch(/^\(a variant of \$(?:TOKEN|TOKEN_PART|API_KEY)\)$/u)
  })

  test('is all that goes: tokens minted in its likeness are shown', () => {
    const other = Buffer.from('{"iss":"https://issuer.example.com","sub":"eve"}').toString('base64url')
    const text = `Bearer ${HEADER}.${other}.c2lnbmVkLWJ5LXNvbWVib2R5LWVsc2U`

    expect(hide(text)).toBe(`Bearer $TOKEN_PART.${other}.c2lnbmVkLWJ5LXNvbWVib2R5LWVsc2U`)
    expect(maskOf([])(text)).toBe(text)
  })

  test('goes from everything that an outcome says', () => {
    const text = `it says ${KEY}`
    const answer: Answer = {
      outcome: 'accepted',
      status: 200,
      headers: [['X-Echo', text]],
      header: () => [],
      body: text,
      ms: 1,
      connection: 1,
    }
    const exchange = { method: 'GET', target: `/?k=${KEY}`, headers: [[KEY, text]] as const, body: text, answer }
    const outcome = masked(
      {
        findings: [{ stimulus: text, expected: text, observed: text, failure: 'fail-open', exchange }],
        inconclusive: text,
        notApplicable: text,
        notProven: [{ stimulus: text, reason: text }],
        stimuli: 1,
        measured: { [text]: text, number: 1 },
      },
      hiddenKeys([KEY]),
      withoutTokens,
    )

    expect(JSON.stringify(outcome)).not.toContain(KEY)
    expect(JSON.stringify(outcome).split('it says $API_KEY').length - 1).toBe(13)
    expect(outcome).toMatchObject({ stimuli: 1, measured: { number: 1 } })
  })
})
