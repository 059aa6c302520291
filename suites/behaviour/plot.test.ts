import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { embeddedKeys } from '../../fixtures/keys/keys.ts'
import { runOrigin } from '../../harness/runner/run.ts'
import { embeddedTarget } from '../../harness/targets/embedded.ts'
import signature from '../origin/signature.ts'
import { MEASUREMENTS } from './measurements.ts'
import { plot } from './plot.ts'

test('points come in order of x, the last word on each, and only where there is something to draw', () => {
  const drawn = plot({ x: 'seconds', y: 'accepted' })
  drawn.note(5, false)
  expect(drawn.of(5)).toBe(5)
  drawn.note(1, false)
  drawn.note(1, true)

  expect(drawn.of(undefined)).toBeUndefined()
  expect(drawn.of(5)).toEqual({
    value: 5,
    series: {
      x: 'seconds',
      y: 'accepted',
      points: [
        [1, 1],
        [5, 0],
      ],
    },
  })
})

test('the points behind a leeway and an age lead to what was measured, in a valid report', async () => {
  const report = await runOrigin({
    suites: [signature],
    select: { cases: ['control-valid'] },
    start: embeddedTarget,
    profile: {},
    control: { kind: 'issuer', port: 0, keys: embeddedKeys() },
    seed: 1,
    deadlineMs: 2_000,
    on: () => undefined,
    signal: new AbortController().signal,
    measurements: MEASUREMENTS.filter(({ name }) => ['leeway-exp', 'jwks-max-age', 'etag'].includes(name)),
  })
  const rows = new Map(report.behaviour.map((row) => [row.name, row]))
  const pointsOf = (name: string) => rows.get(name)?.series?.points ?? []

  const accepted = pointsOf('leeway-exp').filter(([, y]) => y === 1)
  const refused = pointsOf('leeway-exp').filter(([, y]) => y === 0)
  expect(rows.get('leeway-exp')?.value).toBe(refused[0]?.[0])
  expect(accepted.every(([x]) => x < (refused[0]?.[0] ?? 0))).toBe(true)
  // Fetches are counted up, and the first needs all of the age to pass.
  const ages = pointsOf('jwks-max-age')
  expect(ages.map(([, y]) => y)).toEqual(ages.map(([, y]) => y).toSorted((one, other) => one - other))
  expect(ages.find(([, y]) => y === 1)?.[0]).toBeGreaterThanOrEqual(Number(rows.get('jwks-max-age')?.value))
  expect(rows.get('etag')).not.toHaveProperty('series')

  const schema = JSON.parse(
    readFileSync(new URL('../../harness/report/report.schema.json', import.meta.url), 'utf8'),
  ) as object
  const validate = new Ajv({ allowUnionTypes: true }).compile(schema)
  validate(JSON.parse(JSON.stringify(report)))
  expect(validate.errors).toBeNull()
})
