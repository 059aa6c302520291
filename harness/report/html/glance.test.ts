import { describe, expect, test } from 'vitest'
import type { Report } from '../../model/result.ts'
import { exampleCase, exampleReport } from './example.testing.ts'
import { glanceOf } from './glance.ts'

describe('the glance', () => {
  const cause = "A valid token is answered with 500; the origin logged: AttributeError: no 'algorithms'."
  const left = { verdict: 'inconclusive', reason: cause } as const
  const control = exampleCase('origin/signature/control-valid', 'fail-crash', {
    known: { case: 'x', verdict: 'fail-crash', reason: 'python-jose has none.', accepted: false },
  })
  const preflight = { checks: [], algorithms: [], cause }

  test('one cause for which nothing can be judged comes before all else', () => {
    const glance = glanceOf(exampleReport([control, exampleCase('origin/claims/b', left.verdict, left)], { preflight }))

    expect(glance).toMatchObject({ tone: 'bad', headline: 'The origin orders crashes on every valid token.', cause })
    expect(glance.lede).toContain('1 of 2 cases could not be judged')
    expect(glance.steps.map(({ text, note }) => [text, note])).toEqual([
      ['Mend this error, until a valid token is accepted.', 'python-jose has none.'],
      ['Then run trustspec again: 1 other case can be judged only once a valid token is accepted.', undefined],
    ])
  })

  test.each([
    ['the JWKS was never fetched from x: set the JWKS URL of the origin to it.', 'Do what the cause says.'],
    ['A valid token is not accepted (status 401).', 'Mend origin/signature/control-valid.'],
  ])('a refusal of all that is valid: %s', (cause, text) => {
    const refused = exampleCase('origin/signature/control-valid', 'fail-closed')
    const glance = glanceOf(exampleReport([refused], { preflight: { ...preflight, cause } }))

    expect(glance.headline).toBe('The origin orders refuses every valid token.')
    expect(glance.steps[0]?.text).toBe(text)
  })

  test('what comes with a later edition cannot be the worst, and what has expired is told', () => {
    const later = exampleCase('origin/claims/new', 'fail-open', { upcoming: '2026.2' })
    const expired = [
      { case: 'origin/claims/x', verdict: 'warn', reason: '', accepted: false, expires: '2026-01-01' },
    ] as const
    const glance = glanceOf(exampleReport([later, exampleCase('origin/claims/y', 'pass')], { expired }))

    expect(glance).toMatchObject({ tone: 'warn', lede: '1 of 1 requirements are proven.' })
    expect(glance.steps).toEqual([
      { text: 'origin/claims/x was accepted until 2026-01-01: mend it, or agree upon another day.' },
    ])
  })

  test('the worst that is broken comes first, and what is accepted does not count', () => {
    const accepted = { case: '', verdict: 'fail-open', reason: '', accepted: true } as const
    const glance = glanceOf(
      exampleReport([
        exampleCase('origin/claims/accepted', 'fail-open', { known: accepted }),
        exampleCase('origin/claims/closed', 'fail-closed'),
        exampleCase('origin/claims/crash', 'fail-crash'),
      ]),
    )

    expect(glance.headline).toBe('The origin orders crashes where it should answer.')
    expect(glance.lede).toBe(
      '2 of 3 requirements are broken: in 1 it crashes, hangs or answers 5xx and in 1 it refuses what must be accepted.',
    )
    expect(glance.steps.map(({ about }) => about?.id)).toEqual(['origin/claims/crash', 'origin/claims/closed'])
  })

  test.each<readonly [string, Report, string, string]>([
    [
      'a requirement that was not established',
      exampleReport([exampleCase('origin/claims/x', 'inconclusive'), exampleCase('origin/claims/y', 'pass')]),
      'unclear',
      'The origin orders could not be judged in full.',
    ],
    [
      'nothing judged',
      exampleReport([exampleCase('origin/claims/x', 'skip')]),
      'unclear',
      'Nothing of the origin orders could be judged.',
    ],
    [
      'all met',
      exampleReport([exampleCase('origin/claims/x', 'pass')]),
      'good',
      'The origin orders meets every requirement that was judged.',
    ],
    [
      'a recommendation',
      exampleReport([exampleCase('origin/claims/x', 'warn', { level: 'SHOULD' })]),
      'warn',
      'The origin orders meets every requirement that was judged.',
    ],
    [
      'accepted ones alone',
      exampleReport([
        exampleCase('origin/claims/x', 'fail', { known: { case: '', verdict: 'fail', reason: '', accepted: true } }),
      ]),
      'warn',
      'The origin orders breaks only what is accepted as known.',
    ],
    [
      'an accepted one that no longer shows',
      exampleReport([exampleCase('origin/claims/x', 'pass')], {
        stale: [{ case: 'origin/claims/x', verdict: 'fail', reason: '', accepted: true }],
      }),
      'warn',
      'The origin orders meets every requirement that was judged.',
    ],
    [
      'an embedded one',
      exampleReport([exampleCase('origin/claims/x', 'pass')], {
        target: { kind: 'embedded', url: 'http://127.0.0.1:1/' },
      }),
      'good',
      'The embedded origin meets every requirement that was judged.',
    ],
  ])('%s', (_, report, tone, headline) => {
    expect(glanceOf(report)).toMatchObject({ tone, headline })
  })
})
