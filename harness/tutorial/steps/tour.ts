import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TutorialOrigin } from '../origins.ts'
import type { Stage } from '../stage.ts'
import type { World } from '../world.ts'

/** What every step has at hand. */
export interface Tour {
  readonly world: World
  readonly stage: Stage
  readonly origin: TutorialOrigin
  /** The folder of the project as it is shown. */
  readonly shown: string
  readonly signal: AbortSignal
}

/** The folder of the package, or of the checkout. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** The curl line of the page; `authorization` is a word of the shell. */
export function curlLine(url: string, authorization?: string): string {
  return ['curl -X GET', `'${url}'`, ...(authorization === undefined ? [] : [`-H ${authorization}`])].join(' \\\n  ')
}

/** The same with the key of the reader, which stands in a file. */
export function curlWithKey(url: string, keyFile: string): string {
  return curlLine(url, `"Authorization: Bearer $(cat ${shellWord(keyFile)})"`)
}

/** A command of trustspec, as it is typed in a checkout or beside the installed package. */
export function ownCommand(command: string, ...args: readonly string[]): string {
  const isInstalled = ROOT.split(path.sep).includes('node_modules')
  return [isInstalled ? 'npx trustspec' : 'npm run -s trustspec --', command, ...args.map(shellWord)].join(' ')
}

function shellWord(text: string): string {
  return /^[\w./:=@%+-]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
