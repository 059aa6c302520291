import { existsSync, readFileSync } from 'node:fs'
import { validateXML } from 'xmllint-wasm'
import { describe, expect, test } from 'vitest'
import type { Report } from '../model/result.ts'
import { renderJunit } from './junit.ts'
import { reportOf } from '../model/result.testing.ts'
import { caseOf, EVERYTHING, FINDING, renderingOf } from './report.testing.ts'

const SCHEMA = new URL('../../.trustspec/schemas/junit-10.xsd', import.meta.url)
const hasSchema = existsSync(SCHEMA)
if (!hasSchema) console.log('Skipped: JUnit against the schema of Jenkins; .ci/junit-schema.sh fetches it')

const MANY = renderingOf([EVERYTHING, reportOf([caseOf('gateway/token/verifies')], { subject: 'gateway' })])

/** What is wrong with the document by the schema. */
async function mistakesIn(xml: string): Promise<readonly string[]> {
  const { errors } = await validateXML({
    xml: [{ fileName: 'junit.xml', contents: xml }],
    schema: [readFileSync(SCHEMA, 'utf8')],
  })
  return errors.map(({ message }) => message)
}

/** The document as a parser read it, in the canonical form. */
async function parsed(xml: string): Promise<string> {
  const { normalized, errors } = await validateXML({
    xml: [{ fileName: 'junit.xml', contents: xml }],
    normalization: 'c14n',
  })
  expect(errors).toEqual([])
  return normalized
}

/** The element of a case. */
function elementOf(document: string, name: string): string {
  const element = new RegExp(`<testcase [^>]*name="${name}"[^>]*>(.*?)</testcase>`, 'su').exec(document)
  expect(element, name).not.toBeNull()
  return element?.[1] ?? ''
}

describe('the JUnit report', () => {
  test.skipIf(!hasSchema)('is valid by the schema of Jenkins', async () => {
    expect(await mistakesIn(renderJunit(MANY))).toEqual([])
    expect(await mistakesIn(renderJunit(MANY).replace('<testcase', '<testcas'))).not.toEqual([])
    expect(await mistakesIn(renderJunit(renderingOf([reportOf([])])))).toEqual([])
  })

  test('has an outcome for every standing', async () => {
    const document = await parsed(renderJunit(MANY))
    const starts: Readonly<Record<string, string>> = {
      passes: '',
      'passes-in-part': '<system-out>',
      open: '<failure message="iss with a trailing slash: expected refused with 400, 401 or 403, observed status 200, given to &quot;ada&quot;" type="fail-open">The origin refuses a token of another issuer.',
      crash: '<failure message=',
      closed: '<failure message="a valid token: expected accepted, observed status 401" type="fail-closed">',
      other: '<failure message=',
      accepted: '<skipped message="Accepted until 2026-12-31: The library cannot do otherwise.',
      upcoming: '<skipped message="Counts from edition 2026.2 on." type="fail-open">',
      warns: '<system-out>warn (fail-open): iss with a trailing slash',
      unclear: '<error message=',
      'unclear-should': '<skipped message="The control failed." type="inconclusive">',
      measured: '<system-out>',
      skipped: '<skipped message="needs a declared explicit typ: &quot;typ&quot; in the profile" type="skip">',
      'not-applicable': '<skipped message=',
    }

    expect(Object.keys(starts)).toHaveLength(EVERYTHING.cases.length)
    for (const [name, start] of Object.entries(starts)) {
      if (start === '') expect(elementOf(document, name)).toBe('')
      else expect(elementOf(document, name).trim().slice(0, start.length)).toBe(start)
    }
    for (const text of [
      'required by  CWE-347',
      'stimulus     iss with',
      'expected     refused',
      'remedy       Compare',
    ])
      expect(elementOf(document, 'open')).toContain(text)
    expect(elementOf(document, 'open')).toContain(`reproduce    curl -i -H 'Authorization: Bearer '"$TOKEN"`)
    expect(elementOf(document, 'other')).toContain('known        To be mended.')
  })

  test('counts what it holds', async () => {
    const document = await parsed(renderJunit(MANY))
    const count = (name: string): number => document.split(`<${name}`).length - 1
    const total = (attribute: string): number =>
      [...document.matchAll(new RegExp(`<testsuite [^>]*\\b${attribute}="(\\d+)"`, 'gu'))].reduce(
        (sum, [, number]) => sum + Number(number),
        0,
      )

    expect(total('tests')).toBe(count('testcase '))
    expect(total('tests')).toBe(EVERYTHING.cases.length + 1)
    expect(total('failures')).toBe(count('failure '))
    expect(total('errors')).toBe(count('error '))
    expect(total('skipped')).toBe(count('skipped '))
    expect(document).toMatch(/<testsuites [^>]*failures="4"[^>]*tests="15"/u)
    expect(document).toContain('<property name="seed" value="7">')
    expect(document).toContain('<property name="target" value="http://127.0.0.1:8888/protected">')
    expect(document).toContain('<property name="version" value="0.1.0">')
  })

  test('holds what a target said, but for what XML cannot hold', async () => {
    const document = await parsed(renderJunit(MANY))

    expect(document).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(document).toContain(']]&gt; &lt;/failure&gt; &amp; ')
    expect(document).toContain('two&#xD;')
    expect(document).toContain('controls \u007f\u0085 end')
    expect(document).toContain('half a character \ufffd here')
  })

  test.each<readonly [string, Partial<Report>]>([
    ['a recommendation under --strict', { exit: { code: 1, meaning: '1 recommendation broken under --strict.' } }],
    [
      'a stale entry',
      { exit: { code: 1, meaning: '1 accepted finding that no longer shows.' }, stale: EVERYTHING.stale },
    ],
  ])('is red where only %s fails the run', async (_, change) => {
    const warns = caseOf('origin/format/warns', { level: 'SHOULD', verdict: 'warn', findings: [FINDING] })
    const document = await parsed(renderJunit(renderingOf([reportOf([warns], change)])))

    expect(elementOf(document, 'conforms')).toContain(`message="${change.exit?.meaning}" type="exit code 1"`)
    expect(await parsed(renderJunit(renderingOf([reportOf([warns])])))).not.toContain('failure ')
  })
})
