import { writeFileSync } from 'node:fs'
import { BASELINE_SCHEMA_FILE, baselineSchemaText, SCHEMA_FILE, schemaText } from './schema-file.ts'

// Run by hand when a member of the configuration or of a baseline is added; a test compares the files.
writeFileSync(SCHEMA_FILE, schemaText())
writeFileSync(BASELINE_SCHEMA_FILE, baselineSchemaText())
