import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** What a folder tells of the origin in it. */
export interface Found {
  /** The command that starts it. */
  readonly exec?: string
  /** Commands that install what it needs. */
  readonly install: readonly string[]
  /** Its OpenAPI document. */
  readonly openapi?: string
}

const OPENAPI = ['openapi.yaml', 'openapi.yml', 'openapi.json']

/** Looks for a start script of package.json, an app.py, and an OpenAPI document; nothing is run. */
export function lookInto(folder: string): Found {
  const has = (name: string): boolean => existsSync(path.join(folder, name))
  const exec = startsWithNpm(path.join(folder, 'package.json'))
    ? 'npm start --silent'
    : has('app.py')
      ? 'python3 app.py'
      : undefined
  const openapi = OPENAPI.find(has)
  return {
    ...(exec === undefined ? {} : { exec }),
    install: [
      ...(has('package-lock.json') ? ['npm ci'] : []),
      ...(has('requirements.txt') ? ['python3 -m pip install -r requirements.txt'] : []),
    ],
    ...(openapi === undefined ? {} : { openapi }),
  }
}

function startsWithNpm(file: string): boolean {
  try {
    const { scripts } = JSON.parse(readFileSync(file, 'utf8')) as { readonly scripts?: { readonly start?: unknown } }
    return typeof scripts?.start === 'string'
  } catch {
    return false
  }
}
