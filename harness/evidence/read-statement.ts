import { strictObject } from '../origin/strict-json.ts'
import { PREDICATE_TYPE, STATEMENT_TYPE } from './statement.ts'
import type { Statement } from './statement.ts'

type Test = (value: unknown) => boolean

const text: Test = (value) => typeof value === 'string'
const flag: Test = (value) => typeof value === 'boolean'
const listOf =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) && value.every(test)
const recordOf =
  (test: Test): Test =>
  (value) =>
    isRecord(value) && Object.values(value).every(test)
const members =
  (tests: Readonly<Record<string, Test>>): Test =>
  (value) =>
    isRecord(value) && Object.entries(tests).every(([name, test]) => test(value[name]))
const optional =
  (test: Test): Test =>
  (value) =>
    value === undefined || test(value)
const time: Test = (value) =>
  typeof value === 'string' && /^\d{4}-.*Z$/u.test(value) && !Number.isNaN(Date.parse(value))

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const isPart = members({ subject: text, target: members({ kind: text, url: text, name: optional(text) }) })

const isPredicate = members({
  result: (value) => ['PASSED', 'WARNED', 'FAILED'].includes(value as string),
  passedTests: listOf(text),
  warnedTests: listOf(text),
  failedTests: listOf(text),
  trustspec: members({
    version: text,
    finishedAt: time,
    exit: members({ code: Number.isInteger, meaning: text }),
    selected: flag,
    unjudged: listOf(text),
    parts: listOf(isPart),
    verdicts: recordOf(text),
  }),
})

/** Reads a payload whose signature holds; a string says what is wrong with it. Members that nobody knows are ignored. */
export function readStatement(payload: Uint8Array): Statement | string {
  const value = strictObject(payload)?.value
  if (!value) return 'the payload is no JSON object, or has a repeated member'
  if (value['_type'] !== STATEMENT_TYPE) return `the payload is no ${STATEMENT_TYPE}`
  if (value['predicateType'] !== PREDICATE_TYPE) return `the statement is no ${PREDICATE_TYPE}`
  if (!listOf(members({ name: optional(text), digest: recordOf(text) }))(value['subject'])) {
    return 'a subject of the statement has no digest'
  }
  if (!isPredicate(value['predicate'])) return 'the test result is none of trustspec'
  return value as unknown as Statement
}
