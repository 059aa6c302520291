import { configSchema } from './config-shape.ts'

/** The schema as it is published. */
export const SCHEMA_FILE = new URL('./config.schema.json', import.meta.url)

/** What stands in it. */
export function schemaText(): string {
  return `${JSON.stringify(configSchema(), undefined, 2)}\n`
}
