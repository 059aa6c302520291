import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { findConfigs } from '../config/load.ts'
import { CONFIG_FORMATS, configText } from '../init/config-text.ts'
import type { Wish } from '../init/config-text.ts'
import { lookInto } from '../init/folder.ts'
import { githubWorkflow, gitlabJob } from '../init/workflow-text.ts'
import type { Pipeline } from '../init/workflow-text.ts'
import { nearest } from '../model/nearest.ts'
import { packageVersion } from '../runner/version.ts'
import { textOf, urlOf, usage } from './args.ts'
import type { Given } from './args.ts'
import { subjectNamed } from './subject.ts'

/** Where a pipeline goes, by who runs it. */
const PIPELINES: Readonly<Record<string, { readonly file: string; readonly text: (pipeline: Pipeline) => string }>> = {
  github: { file: '.github/workflows/trustspec.yml', text: githubWorkflow },
  gitlab: { file: '.gitlab/trustspec.yml', text: gitlabJob },
}

/** Writes a configuration and a pipeline into the folder; asks nothing, and overwrites nothing without --force. */
export async function initCommand(given: Given, folder: string, say: (line: string) => void): Promise<void> {
  const [extra] = given.positionals
  if (extra !== undefined) throw usage('The command takes flags alone', { given: extra, instead: `--url ${extra}` })
  const found = lookInto(folder)
  const wish = wishOf(given, found.exec)
  const format = oneOf(given, 'format', CONFIG_FORMATS, 'ts')
  const ci = oneOf(given, 'ci', ['github', 'gitlab', 'none'], 'github')
  const pipeline = PIPELINES[ci]
  const isOrigin = wish.subject === 'origin'
  const texts = new Map([[`trustspec.config.${format}`, configText(wish, format)]])
  if (pipeline) {
    const needs = {
      subject: wish.subject,
      version: packageVersion(),
      install: isOrigin ? found.install : [],
      ...(isOrigin && found.openapi !== undefined ? { openapi: found.openapi } : {}),
    }
    texts.set(pipeline.file, pipeline.text(needs))
  }
  assertFree([...texts.keys()], folder, given.values['force'] === true)
  for (const [file, text] of texts) {
    const place = path.join(folder, file)
    await mkdir(path.dirname(place), { recursive: true })
    await writeFile(place, text)
    say(`Wrote ${file}`)
  }
  if (ci === 'gitlab') say(`Include it in .gitlab-ci.yml:  include: [{ local: ${PIPELINES['gitlab']?.file} }]`)
  say('Next: trustspec run')
}

function wishOf(given: Given, found: string | undefined): Wish {
  const subject = subjectNamed(given) ?? 'origin'
  const url = textOf(given, 'url')
  const exec = textOf(given, 'exec')
  const originUrl = textOf(given, 'origin-url')
  const route = textOf(given, 'path')
  if (url !== undefined && exec !== undefined) {
    throw usage('More than one target is given', { given: '--url and --exec', instead: 'one of them' })
  }
  if (exec !== undefined && subject !== 'origin') {
    throw usage('The flag starts an origin', { flag: '--exec', instead: '--url URL of the gateway' })
  }
  if (originUrl !== undefined && subject !== 'chain') {
    throw usage('The flag is for chains', { flag: '--origin-url', instead: '--as chain beside it' })
  }
  const start = url === undefined && subject === 'origin' ? (exec ?? found) : undefined
  if (route !== undefined && start === undefined) {
    throw usage('The flag belongs to --exec', { flag: '--path', instead: '--exec COMMAND beside it' })
  }
  if (route !== undefined && !route.startsWith('/')) {
    throw usage('The path does not begin with a slash', { flag: '--path', given: route, instead: `/${route}` })
  }
  const checked = (text: string, flag: string): string => urlOf(text, flag, 'keys and tokens elsewhere').href
  return {
    subject,
    url: checked(url ?? `http://localhost:${subject === 'origin' ? 8888 : 8080}/orders`, '--url'),
    ...(start === undefined ? {} : { exec: start }),
    path: route ?? '/',
    originUrl: checked(originUrl ?? 'http://localhost:8888/orders', '--origin-url'),
  }
}

function oneOf<T extends string>(given: Given, flag: string, values: readonly T[], usual: T): T {
  const text = textOf(given, flag) ?? usual
  const value = values.find((one) => one === text)
  if (value !== undefined) return value
  throw usage('There is no such choice', {
    flag: `--${flag}`,
    given: text,
    instead: `--${flag} ${nearest(text, values)}, out of ${values.join(', ')}`,
  })
}

/** ERR_USAGE where a file is there already, or a configuration under another name, beside which a new one is none. */
function assertFree(files: readonly string[], folder: string, isForced: boolean): void {
  const taken = isForced ? [] : files.filter((file) => existsSync(path.join(folder, file)))
  const others = findConfigs(folder).filter((name) => !files.includes(name))
  const [other] = others
  if (taken.length > 0) {
    throw usage('There is such a file already, and nothing was written', {
      file: taken.join(' and '),
      instead: '--force to write it anew, or another folder',
    })
  }
  if (other !== undefined) {
    throw usage('There is a configuration already, and nothing was written', {
      file: other,
      instead: 'remove it first, or keep it',
    })
  }
}
