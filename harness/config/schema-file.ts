import { configSchema } from './config-shape.ts'
import { baselineSchema } from './gate-shape.ts'

/** The schema of configurations as it is published. */
export const SCHEMA_FILE = new URL('./config.schema.json', import.meta.url)

/** The schema of baselines as it is published. */
export const BASELINE_SCHEMA_FILE = new URL('./baseline.schema.json', import.meta.url)

/** What stands in the first. */
export function schemaText(): string {
  return textOf(configSchema())
}

/** What stands in the second. */
export function baselineSchemaText(): string {
  return textOf(baselineSchema())
}

function textOf(schema: object): string {
  return `${JSON.stringify(schema, undefined, 2)}\n`
}
