import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { CHAIN_SUITES, GATEWAY_SUITES, SUITES } from '../../../suites/catalog.ts'
import type { Report } from '../../model/result.ts'
import { escaped } from './escape.ts'
import { exampleCase, exampleReport, fullReport, HOSTILE, hostileReport } from './example.testing.ts'
import { HOPS, hopOf, standingOf } from './hops.ts'
import { renderHtml } from './page.ts'
import { plotOf } from './plot.ts'

const of = (...reports: readonly Report[]): string => renderHtml({ reports, exit: { code: 1, meaning: 'Broken.' } })

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

  test('tells what is new from what is known, until when, and where it is worked on', () => {
    const known = { case: 'origin/claims/a', verdict: 'fail-open', reason: 'Later.', accepted: true } as const
    const [finding] = exampleCase('x', 'fail-open').findings
    const findings = finding ? [{ ...finding, stimulus: 'the old one', known: true as const }, finding] : []
    const text = of(
      exampleReport(
        [
          exampleCase('origin/claims/a', 'fail-open', {
            known: { ...known, expires: '2026-12-31', issue: 'https://example.com/7' },
          }),
          exampleCase('origin/claims/b', 'fail-open', { known: { ...known, accepted: false, expires: '2026-01-01' } }),
          exampleCase('origin/claims/c', 'fail-open', { findings }),
        ],
        { edition: '2026.1' },
      ),
    )

    expect(text).toContain('<strong>Accepted:</strong> Later. (until 2026-12-31) <a href="https://example.com/7"')
    expect(text).toContain('<strong>Expired:</strong> Later. (was accepted until 2026-01-01)')
    expect(text.indexOf('the old one <span class="tag">known</span>')).toBeGreaterThan(
      text.lastIndexOf('<dd>exp removed</dd>'),
    )
    expect(text).toContain('edition 2026.1 of the requirements')
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
