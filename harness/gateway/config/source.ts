import { readFileSync } from 'node:fs'
import path from 'node:path'
import { JsonFault, parseJson } from './json.ts'
import { wrong } from './wrong.ts'

/** Reads the JSON of a project's file; `relaxed` permits comments and trailing commas. */
export function readJson(folder: string, file: string, relaxed = false): unknown {
  const place = { file, at: '' }
  let text: string
  try {
    text = readFileSync(path.join(folder, file), 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT')
      throw wrong('A file of the project is missing', place, { instead: `the file ${file}` }, error)
    throw wrong('The file cannot be read', place, { reason: code ?? 'unknown', instead: 'a file to read' }, error)
  }
  try {
    return parseJson(text, relaxed)
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    const { line, twice } = error
    if (twice !== undefined) {
      throw wrong('A name stands twice in one object', place, { line, given: twice, instead: 'one of them' }, error)
    }
    const instead = relaxed ? 'JSON, with comments where you like' : 'JSON without comments or trailing commas'
    throw wrong('The file is not JSON', place, { line, reason: error.message, instead }, error)
  }
}
