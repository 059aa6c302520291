import { describe, expect, test } from 'vitest'
import { FAIL_ON_WORDS, failingBy } from '../model/fail-on.ts'
import { caseResult } from '../model/result.testing.ts'
import type { CaseResult, ExpectedFinding, Finding } from '../model/result.ts'
import { FAILS_BY_DEFAULT } from '../model/verdict.ts'
import { exitOf } from './exit.ts'
import { expiredOf, recognised, staleOf } from './expected.ts'
import { extended, pruned } from './baseline.ts'

const ID = 'origin/claims/iss-wrong'
const TODAY = '2026-06-15'

const finding = (stimulus: string, change: Partial<Finding> = {}): Finding => ({
  stimulus,
  expected: 'refused',
  observed: 'status 200',
  failure: 'fail-open',
  ...change,
})

const result = (change: Partial<CaseResult> = {}): CaseResult =>
  caseResult(ID, { verdict: 'fail-open', findings: [finding('a'), finding('b')], stimuli: 3, ...change })

const entry = (change: Partial<ExpectedFinding> = {}): ExpectedFinding => ({
  case: ID,
  verdict: 'fail-open',
  reason: 'The library cannot do otherwise.',
  accepted: true,
  ...change,
})

const pass = result({ verdict: 'pass', findings: [] })

describe('a known finding', () => {
  const know = (known: ExpectedFinding, change: Partial<CaseResult> = {}) =>
    recognised(result(change), { expected: [known], today: TODAY })

  test('covers its case and verdict, or the stimuli that it names, and nothing new', () => {
    expect(know(entry()).known).toEqual(entry())
    expect(know(entry({ stimuli: ['a', 'b', 'c'] })).known?.accepted).toBe(true)
    const partly = know(entry({ stimuli: ['a'] }))
    expect(partly.known).toBeUndefined()
    expect(partly.findings.map(({ known }) => known)).toEqual([true, undefined])
    expect(know(entry(), { verdict: 'fail-crash' }).known).toBeUndefined()
    expect(know(entry(), { id: 'origin/claims/iss-missing' }).known).toBeUndefined()
  })

  test('is accepted through its last day, and no longer', () => {
    expect(know(entry({ expires: TODAY })).known?.accepted).toBe(true)
    expect(know(entry({ expires: '2026-06-14' })).known?.accepted).toBe(false)
    const partly = know(entry({ expires: '2026-06-14', stimuli: ['a'] }))
    expect(partly.findings.some(({ known }) => known)).toBe(false)
  })

  test('has expired where it still shows, and is stale where it does not', () => {
    const expected = [entry({ expires: '2026-06-14' })]

    expect(expiredOf([result()], { expected, today: TODAY })).toEqual(expected)
    expect(expiredOf([result()], { expected, today: '2026-06-14' })).toEqual([])
    expect(expiredOf([pass], { expected, today: TODAY })).toEqual([])
    expect(staleOf([pass], expected)).toEqual(expected)
    expect(staleOf([result()], expected)).toEqual([])
  })

  test.each<readonly [string, readonly CaseResult[]]>([
    ['was not selected', []],
    ['was skipped', [result({ verdict: 'skip', findings: [] })]],
    ['is inconclusive', [result({ verdict: 'inconclusive', findings: [] })]],
  ])('is neither stale nor expired where its case %s', (_, cases) => {
    const expected = [entry({ expires: '2026-06-14' })]

    expect(staleOf(cases, expected)).toEqual([])
    expect(expiredOf(cases, { expected, today: TODAY })).toEqual([])
  })

  test('is stale with the stimuli that no longer show, unless nobody can know', () => {
    const expected = [entry({ stimuli: ['a', 'b', 'gone'] })]
    const stale = (change: Partial<CaseResult> = {}) =>
      staleOf([result(change)], expected).map(({ stimuli }) => stimuli)

    expect(stale()).toEqual([['gone']])
    expect(stale({ notProven: [{ stimulus: 'gone', reason: 'needs a second route' }] })).toEqual([])
    expect(stale({ reason: 'A valid token was not accepted just before.' })).toEqual([])
    const hang = { evidence: { failure: 'timeout' } } as Partial<Finding>
    expect(stale({ findings: [finding('a'), finding('b', hang)] })).toEqual([])
    expect(stale({ verdict: 'fail-crash' })).toEqual([['a', 'b', 'gone']])
  })

  test('that is not accepted is never stale', () => {
    expect(staleOf([pass], [entry({ accepted: false })])).toEqual([])
  })
})

describe('the exit code', () => {
  const none = { stale: [], expired: [] }
  const broken = result()
  const crashed = result({ verdict: 'fail-crash' })
  const warned = result({ verdict: 'warn', level: 'SHOULD' })
  const unclear = result({ verdict: 'inconclusive', findings: [] })
  const budget = { capability: 'budget', says: '', unlock: '' }
  const unbegun = result({ verdict: 'skip', findings: [], missing: [budget] })
  const locked = result({ verdict: 'skip', findings: [] })

  test.each<readonly [string, readonly CaseResult[], string, 0 | 1, string]>([
    ['all is well', [pass], 'must', 0, 'Every requirement was met, or is an accepted finding.'],
    ['something is locked', [pass, locked], 'must', 0, '; 1 requirement not judged, as listed above.'],
    ['nothing was judged', [locked], 'must', 1, 'Nothing was judged, so nothing is proven.'],
    ['nothing was judged, which is fine', [locked], 'never', 0, 'Nothing was judged, which'],
    ['a requirement is broken', [pass, broken], 'must', 1, '1 requirement broken.'],
    ['a declared MAY is broken', [pass, result({ level: 'MAY' })], 'must', 1, '1 requirement broken.'],
    ['in another way', [broken, crashed], 'fail-crash', 1, '1 requirement broken.'],
    ['only in another way', [broken], 'fail-crash', 0, 'left aside: 1 requirement broken (fail-open).'],
    ['never', [broken, unclear], 'never', 0, ': 1 requirement broken (fail-open), 1 requirement not established.'],
    ['a recommendation', [pass, warned], 'must', 0, 'Every requirement was met'],
    ['a recommendation, under should', [pass, warned], 'should', 1, '1 recommendation broken.'],
    ['a recommendation, under warn alone', [broken, warned], 'warn', 1, '1 recommendation broken.'],
    ['a guard', [pass, unclear], 'inconclusive', 1, '1 requirement not established.'],
    ['a guard, which is fine', [pass, unclear], 'must', 0, 'left aside: 1 requirement not established.'],
    ['a guard of a SHOULD', [pass, { ...unclear, level: 'SHOULD' }], 'inconclusive', 0, 'Every requirement'],
    ['no budget left', [pass, unbegun], 'inconclusive', 1, '1 requirement not judged for want of a budget.'],
    ['no budget left, which is fine', [pass, unbegun], 'must', 0, 'left aside: 1 requirement not judged for want'],
    ['upcoming', [pass, { ...broken, upcoming: '2026.2' }], 'must', 0, 'Every requirement was met'],
    ['nothing but upcoming', [{ ...pass, upcoming: '2026.2' }], 'must', 1, 'Nothing was judged'],
    ['accepted', [{ ...broken, known: entry() }], 'must', 0, 'Every requirement was met, or is an accepted finding.'],
    ['accepted once', [{ ...broken, known: entry({ accepted: false }) }], 'must', 1, '1 requirement broken.'],
  ])('%s', (_, cases, word, code, meaning) => {
    const words = FAIL_ON_WORDS.filter((known) => known === word)
    const exit = exitOf({ cases, ...none }, failingBy(words))

    expect(exit.meaning).toContain(meaning)
    expect(exit.code).toBe(code)
  })

  test('a stale entry and an expired one fail whatever is failed on, unless nothing is', () => {
    const lists = { stale: [entry()], expired: [entry(), entry()] }
    const meaning = '1 accepted finding that no longer shows, 2 accepted findings that have expired.'

    expect(exitOf({ cases: [pass], ...lists }, ['warn'])).toEqual({ code: 1, meaning })
    expect(exitOf({ cases: [pass], ...lists }, []).code).toBe(0)
  })

  test('words are levels and those above, or single verdicts; the default is must and inconclusive', () => {
    expect(failingBy(['must', 'inconclusive'])).toEqual(FAILS_BY_DEFAULT)
    expect(failingBy(['should'])).toEqual(['fail-open', 'fail-crash', 'fail-closed', 'fail', 'warn'])
    expect(failingBy(['fail-open', 'must'])).toHaveLength(4)
    expect(exitOf({ cases: [pass, unclear], ...none }).code).toBe(1)
  })
})

describe('a baseline', () => {
  const known = {
    case: ID,
    verdict: 'fail-open',
    reason: 'Ours.',
    issue: 'https://example.com/1',
    expires: '2027-01-01',
  }
  const had = { ...known, verdict: 'fail-open', stimuli: ['a'] } as const

  test('takes in open findings, and extends what it has without another reason', () => {
    const warned = result({ id: 'origin/claims/x', verdict: 'warn', findings: [finding('w'), finding('w')] })
    const others = [pass, result({ verdict: 'inconclusive' }), result({ upcoming: '2026.2' })]

    expect(extended([], [warned], 'New.')).toEqual({
      findings: [{ case: 'origin/claims/x', verdict: 'warn', stimuli: ['w'], reason: 'New.' }],
      changes: [{ kind: 'added', case: 'origin/claims/x', verdict: 'warn', stimuli: ['w'] }],
    })
    expect(extended([had], [result()], 'New.')).toEqual({
      findings: [{ ...had, stimuli: ['a', 'b'] }],
      changes: [{ kind: 'extended', case: ID, verdict: 'fail-open', stimuli: ['b'] }],
    })
    const { stimuli: _, ...whole } = had
    expect(extended([whole], [result()], 'New.')).toEqual({ findings: [whole], changes: [] })
    expect(extended([], others, 'New.').findings).toEqual([])
    expect(extended([], [result({ known: entry() })], 'New.').findings).toEqual([])
    expect(extended([], [result({ known: entry({ accepted: false }) })], 'New.').findings).toHaveLength(1)
  })

  test('is pruned of what no longer shows, and keeps what was not judged', () => {
    const two = { ...had, stimuli: ['a', 'b', 'gone'] }

    expect(pruned([had], [pass])).toEqual({
      findings: [],
      changes: [{ kind: 'removed', case: ID, verdict: 'fail-open', stimuli: ['a'] }],
    })
    expect(pruned([two], [result()])).toEqual({
      findings: [{ ...two, stimuli: ['a', 'b'] }],
      changes: [{ kind: 'narrowed', case: ID, verdict: 'fail-open', stimuli: ['gone'] }],
    })
    expect(pruned([had], [])).toEqual({ findings: [had], changes: [] })
    expect(pruned([had], [result({ verdict: 'skip', findings: [] })]).findings).toEqual([had])
    // What shows is not struck for having expired: that is for people to decide.
    expect(pruned([{ ...had, expires: '2020-01-01' }], [result({ findings: [finding('a')] })]).changes).toEqual([])
  })
})
