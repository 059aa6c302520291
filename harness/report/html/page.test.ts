import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { CHAIN_SUITES, GATEWAY_SUITES, SUITES } from '../../../suites/catalog.ts'
import type { Report } from '../../model/result.ts'
import { escaped, link, markup } from './escape.ts'
import { exampleCase, exampleReport, fullReport, HOSTILE, hostileReport } from './example.testing.ts'
import { glanceOf } from './glance.ts'
import { HOPS, hopOf, standingOf } from './hops.ts'
import { renderHtml } from './page.ts'
import { plotOf } from './plot.ts'

const of = (...reports: readonly Report[]): string => renderHtml({ reports, exit: { code: 1, meaning: 'Broken.' } })

describe('escaping', () => {
  test('leaves nothing that a browser obeys', () => {
    expect(escaped(`<b a="c" d='e'>&amp;`)).toBe('&lt;b a=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;')
    expect(escaped('a\u0000b\u001b\u007f\u0085\u202e\ud800')).toBe('a\u2400b\u241b\u2421[U+0085][U+202E][U+D800]')
    expect(escaped('line\r\nline\ttab \u00e9 \u{1f600}')).toBe('line\nline\ttab \u00e9 \u{1f600}')
  })

  test('templates escape values, and keep markup, lists and nothing', () => {
    expect(markup`<p>${'<'}${[markup`<b>${'&'}</b>`, 1, undefined, false]}</p>`.toString()).toBe(
      '<p>&lt;<b>&amp;</b>1</p>',
    )
  })

  test('links lead to the web alone', () => {
    expect(link('https://example.com/?a="b"', 'x').toString()).toBe(
      '<a href="https://example.com/?a=&quot;b&quot;" rel="noreferrer">x</a>',
    )
    expect(link('javascript:alert(1)', '<x>').toString()).toBe('&lt;x&gt;')
  })
})

describe('a page', () => {
  const page = of(fullReport())

  test('loads nothing, and permits its own style and script alone', () => {
    const [policy = ''] = /Content-Security-Policy" content="([^"]*)"/u.exec(page)?.slice(1) ?? []
    const hashes = ['style', 'script'].map((tag) => {
      const [text = ''] = new RegExp(`<${tag}>([^]*?)</${tag}>`, 'u').exec(page)?.slice(1) ?? []
      return `${tag}-src 'sha256-${createHash('sha256').update(text).digest('base64')}'`
    })

    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      ...hashes,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
    ])
    expect(page).not.toMatch(/\ssrc=|@import|url\((?!#)|\sstyle=|\son\w+=/u)
    expect(page.match(/<script/gu)).toHaveLength(1)
  })

  test('is made of text that cannot break out of it, wherever it stands', () => {
    const hostile = of(hostileReport())
    const body = hostile.split('<body>')[1] ?? ''

    expect(hostile.match(/<script/gu)).toHaveLength(1)
    expect(hostile.match(/<\/script>/gu)).toHaveLength(1)
    expect(hostile.match(/<\/title>/gu)).toHaveLength(1)
    for (const raw of ['<img', '\u0000', '\u001b', '\u202e']) expect(hostile).not.toContain(raw)
    // As often in as it came: nothing is lost either.
    expect(body.split(escaped(HOSTILE)).length).toBeGreaterThan(60)
    expect(tags(body)).toEqual(tags(of(fullReport()).split('<body>')[1] ?? ''))
  })

  test('shows what a case has', () => {
    for (const text of [
      'options={&quot;require&quot;: [&quot;exp&quot;]}',
      'exp removed 21',
      '8 further ones',
      'The library cannot.',
      'from edition 2026.2 on',
      'The fault was never met.',
      'the clock of the origin was moved on by 31 s',
      'a route that upgrades',
      'status for no token: 401',
      'href="https://www.rfc-editor.org/rfc/rfc8725"',
      'seconds after exp',
      'time between two fetches: needs a clock',
    ])
      expect(page).toContain(text)
    expect(page).not.toContain('exp removed 22')
  })

  test('has each id once, with one report or with several of the same subject', () => {
    for (const text of [page, of(fullReport(), fullReport())]) {
      const ids = [...text.matchAll(/\sid="([^"]*)"/gu)].map(([, id]) => id)
      expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
      for (const [, target] of text.matchAll(/href="#([^"]*)"/gu)) expect(ids).toContain(target)
    }
  })

  test('tells the worst of several reports first', () => {
    const gateway = exampleReport([exampleCase('gateway/token/x', 'pass')], { subject: 'gateway' })
    const several = of(gateway, fullReport())

    expect(/<h1[^>]*>([^<]*)/u.exec(several)?.[1]).toBe('The origin orders lets in what it must refuse.')
    expect(several).toContain('The gateway orders meets every requirement that was judged.')
  })
})

/** Every tag of the text in order, without its attributes. */
function tags(text: string): readonly string[] {
  return [...text.matchAll(/<\/?[a-zA-Z]+/gu)].map(([tag]) => tag)
}

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

test('every suite belongs to the hop that it is about', () => {
  const suites = [...SUITES, ...GATEWAY_SUITES, ...CHAIN_SUITES]
  const hops = suites.map(({ id }) => [id, hopOf(id)] as const)

  expect(Object.fromEntries(hops)).toMatchObject({
    'origin/signature': 'origin',
    'origin/bypass': 'network',
    'origin/jwks-caching': 'jwks',
    'gateway/key-auth': 'caller',
    'gateway/jwks': 'jwks',
    'gateway/spoofing': 'forward',
    chain: 'chain',
  })
  expect([...new Set(hops.map(([, hop]) => hop))].toSorted()).toEqual(HOPS.map(({ id }) => id).toSorted())
})

test('a hop stands as its worst cases do', () => {
  const { cases } = fullReport()

  expect(standingOf('origin', cases)).toEqual({ tone: 'bad', says: '2 broken' })
  expect(standingOf('jwks', cases)).toEqual({ tone: 'unclear', says: '1 unclear' })
  expect(standingOf('network', cases)).toEqual({ tone: 'none', says: '1 not judged' })
  expect(standingOf('gateway', cases)).toBeUndefined()
})

test('a plot steps from point to point within its frame', () => {
  const series = {
    x: 'seconds',
    y: 'accepted (1) or not (0)',
    points: [
      [0, 1],
      [4, 1],
      [5, 0],
    ],
  } as const
  const plot = plotOf('leeway', series).toString()

  expect(plot).toContain('d="M34 8H222.8V8H270V56"')
  expect(plot.match(/<circle/gu)).toHaveLength(3)
  // A single moment, and nothing above zero, are drawn all the same.
  expect(plotOf('flat', { ...series, points: [[3, 0]] }).toString()).not.toContain('NaN')
})
