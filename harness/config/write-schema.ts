import { writeFileSync } from 'node:fs'
import { SCHEMA_FILE, schemaText } from './schema-file.ts'

// Run by hand when a member of the configuration is added; a test compares the file.
writeFileSync(SCHEMA_FILE, schemaText())
