import { expect, test } from 'vitest'
import { consoleStage } from './console-stage.ts'
import { hopOf, shortened } from './hops.ts'
import type { Hop } from './stage.ts'

const KEY = 'tsk_0123456789abcdefghijklmnop_wxyz'
const CLAIMS = Buffer.from('{"sub":"me","exp":1795612271}').toString('base64url')
const TOKEN = `${Buffer.from('{"alg":"EdDSA","kid":"one"}').toString('base64url')}.${CLAIMS}.c2lnbmF0dXJl`

/** A hop that carries the credential, and echoes it. */
function hop(from: Hop['from'], to: Hop['to'], credential: string): Hop {
  const passed = {
    request: `GET /protected?key=${credential}`,
    headers: [['Authorization', `Bearer ${credential}`]] as const,
    status: 401,
    answerHeaders: [['X-Echo', credential]] as const,
    answerBody: `{"echo":"${credential}"}`,
  }
  return hopOf(from, to, passed, [KEY])
}

function drawn(columns: number, colour: boolean): string {
  const texts: string[] = []
  const print = (text: string): void => void texts.push(text)
  const stage = consoleStage({ print, note: print, style: { colour }, columns, signal: new AbortController().signal })
  stage.heading('Step 1 of 5: Create a route')
  stage.say('A sentence that is long enough to be wrapped on every terminal that there is, and then some more words.')
  stage.show('app.py', `${'x'.repeat(150)}\nshort`, 'python')
  stage.travel([hop('caller', 'gateway', KEY), hop('gateway', 'origin', TOKEN)])
  stage.verdicts([
    {
      id: 'origin/expired-tokens/exp-missing',
      variants: [
        { variant: 'published', verdict: 'fail-crash' },
        { variant: 'hardened', verdict: 'pass' },
      ],
    },
  ])
  return texts.join('')
}

test('keys and tokens are shortened wherever they stand', () => {
  const { token, ...shown } = hop('gateway', 'origin', TOKEN)

  expect(JSON.stringify(hop('caller', 'gateway', KEY))).not.toContain(KEY.slice(4, 20))
  expect(JSON.stringify(shown)).not.toContain(CLAIMS)
  expect(shown.headers).toEqual([['Authorization', 'Bearer eyJhbGciOi…']])
  expect(token).toEqual({ header: { alg: 'EdDSA', kid: 'one' }, claims: { sub: 'me', exp: 1795612271 } })
  expect(shortened(KEY, [KEY])).toBe('tsk_…wxyz')
})

test('the picture has the credential over each hop, and the status that came back', () => {
  const lines = drawn(100, false).split('\n')
  const at = lines.findIndex((line) => line.startsWith('  caller ─'))

  expect(lines[at - 1]).toMatch(/^ +API key +JWT, EdDSA$/u)
  expect(lines[at]).toMatch(/^ {2}caller ─+▶ gateway ─+▶ origin ·+ issuer$/u)
  expect(lines[at + 1]).toMatch(/^ +◀─+ 401 ─+ +◀─+ 401 ─+$/u)
})

test.each([40, 64, 80, 100])('no line is longer than a terminal of %i columns', (columns) => {
  const longest = Math.max(
    ...drawn(columns, false)
      .split('\n')
      .map((line) => line.length),
  )

  expect(longest).toBeLessThanOrEqual(columns)
})

test('colours are there where they are wanted, and change no word', () => {
  const coloured = drawn(100, true)

  expect(coloured).toContain('\u001B[')
  // oxlint-disable-next-line no-control-regex -- the escape is what is taken out
  expect(coloured.replaceAll(/\u001B\[\d+(?:;\d+)*m/gu, '')).toBe(drawn(100, false))
})
