import { readFileSync } from 'node:fs'
import path from 'node:path'
import { wrong } from './wrong.ts'

/** Reads the JSON of a project's file; `comments` permits `//` and block comments and trailing commas. */
export function readJson(folder: string, file: string, comments = false): unknown {
  let text: string
  try {
    text = readFileSync(path.join(folder, file), 'utf8')
  } catch (error) {
    const cause = error as NodeJS.ErrnoException
    const reason = cause.code === 'ENOENT' ? 'it does not exist' : (cause.code ?? 'it cannot be read')
    throw wrong('A file of the project is missing', { file, at: '' }, { reason, instead: `the file ${file}` }, error)
  }
  const plain = comments ? withoutComments(text) : text
  try {
    return JSON.parse(plain)
  } catch (error) {
    const said = error instanceof Error ? error.message : ''
    const position = /position (\d+)/u.exec(said)?.[1]
    const line = position === undefined ? plain.split('\n').length : plain.slice(0, Number(position)).split('\n').length
    throw wrong(
      'The file is not JSON',
      { file, at: '' },
      { line, instead: 'JSON without comments or trailing commas' },
      error,
    )
  }
}

/** The text with comments and trailing commas as white space, so that positions stay. */
function withoutComments(text: string): string {
  const blank = (part: string): string => part.replaceAll(/[^\n]/gu, ' ')
  return text
    .replaceAll(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//gu, (part, string?: string) => string ?? blank(part))
    .replaceAll(/("(?:[^"\\]|\\.)*")|,(?=\s*[\]}])/gu, (_, string?: string) => string ?? ' ')
}
