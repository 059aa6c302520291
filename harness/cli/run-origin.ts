import { request } from 'undici'
import { MEASUREMENTS } from '../../suites/behaviour/measurements.ts'
import { SUITES } from '../../suites/catalog.ts'
import type { OriginSettings } from '../config/settings.ts'
import type { Operation } from '../openapi/operations.ts'
import type { Progress } from '../report/progress.ts'
import type { Control } from '../runner/options.ts'
import { runOrigin } from '../runner/run.ts'
import type { Target, TargetSettings } from '../targets/target.ts'
import { assertAllowed } from './address.ts'
import { textOf, urlOf, usage } from './args.ts'
import type { Given } from './args.ts'
import { containerSubject } from './containers.ts'
import type { ContainerSubject } from './containers.ts'
import { declarationsOf, gatewayNamed } from './declarations.ts'
import { controlOf, reachOf } from './origin-control.ts'
import type { OriginKind } from './origin-control.ts'
import type { Common, Part } from './part.ts'
import { readExpected } from './profile.ts'

/** Longest wait for the first answer of a command, in milliseconds. */
const READY_MS = 30_000

interface Subject {
  /** What is tested, for the first line. */
  readonly says: string
  readonly kind: OriginKind
  /** What has to be there before the issuer of the run listens. */
  readonly prepare?: ContainerSubject['prepare']
  readonly start: (settings: TargetSettings, progress: Progress) => Promise<Target>
}

/** The part of a run that tests an origin; ERR_USAGE for arguments that do not fit together. */
export async function originPart(asked: Given, common: Common, settings?: OriginSettings): Promise<Part> {
  const given = settings === undefined ? asked : withSettings(asked, settings)
  const subject = await subjectOf(given)
  const profile = declarationsOf(given, settings?.profile)
  const gateway = gatewayNamed(given)
  const control = await controlOf(given, subject.kind, gateway)
  const byName = reachOf(given)
  const operations = await operationsFor(given)
  const { behaviour, ...options } = common
  return {
    subject: 'origin',
    says: `${subject.says}, ${LADDER[control.kind]}`,
    async run({ print, progress }, signal) {
      await using ground = await subject.prepare?.(progress.note)
      const reach = byName ?? ground?.reach
      return await runOrigin({
        ...options,
        ...(reach ? { reach } : {}),
        suites: SUITES,
        start: (told) => subject.start(told, progress),
        control,
        operations,
        ...(gateway ? { gateway } : {}),
        profile,
        measurements: behaviour ? MEASUREMENTS : [],
        writes: given.values['writes'] === true,
        on(event) {
          if (event.type === 'issuer' && control.kind === 'issuer' && subject.kind === 'url') {
            print(`The origin has to trust issuer ${event.issuer} with the JWKS at ${event.jwksUrl}\n`)
          }
          progress.on(event)
        },
        signal,
      })
    },
  }
}

/** The arguments with what the configuration says where they say nothing. */
function withSettings(given: Given, settings: OriginSettings): Given {
  const { url, issuerPort, tokenCommand, clockUrl, exec, path } = settings
  const { values, positionals } = given
  const isStarted = ['origin', 'exec', 'image', 'compose'].some((flag) => values[flag] !== undefined)
  const isNamed = isStarted || positionals.length > 0
  const hasRung = ['token', 'token-command', 'issuer-port'].some((flag) => values[flag] !== undefined)
  return {
    positionals: positionals.length === 0 && url !== undefined && !isStarted ? [url] : positionals,
    values: {
      ...(hasRung || issuerPort === undefined ? {} : { 'issuer-port': String(issuerPort) }),
      ...(hasRung || tokenCommand === undefined ? {} : { 'token-command': tokenCommand }),
      ...(isStarted || clockUrl === undefined ? {} : { 'clock-url': clockUrl }),
      ...(isNamed || exec === undefined ? {} : { exec, ...(path === undefined ? {} : { path }) }),
      ...values,
    },
  }
}

const LADDER: Readonly<Record<Control['kind'], string>> = {
  none: 'with a URL alone',
  token: 'with a token of its own issuer',
  issuer: 'with an issuer that it trusts',
}

async function subjectOf(given: Given): Promise<Subject> {
  const [url, ...more] = given.positionals
  const name = textOf(given, 'origin')
  const command = textOf(given, 'exec')
  if (more.length > 0)
    throw usage('One URL is tested at a time', { given: more.join(' '), instead: 'run it once for each URL' })
  const named = [
    url === undefined ? '' : 'a URL',
    name === undefined ? '' : '--origin',
    command === undefined ? '' : '--exec',
  ]
  for (const flag of ['image', 'compose']) if (given.values[flag] !== undefined) named.push(`--${flag}`)
  const several = named.filter((one) => one !== '')
  if (several.length > 1) {
    throw usage('More than one target is given', { given: several.join(' and '), instead: 'one of them' })
  }
  if (given.values['clock-url'] !== undefined && url === undefined) {
    throw usage('The flag belongs to a URL', { flag: '--clock-url', instead: 'a URL under test, or leave it out' })
  }
  const isOwn = [command, given.values['image'], given.values['compose']].some((one) => one !== undefined)
  for (const only of ['env', 'path']) {
    if (given.values[only] !== undefined && !isOwn) {
      throw usage('The flag belongs to --exec', {
        flag: `--${only}`,
        instead: `--exec COMMAND --${only} …, or leave it out`,
      })
    }
  }
  const container = await containerSubject(given, ownOf(given))
  if (container) return container
  if (url !== undefined) return await urlSubject(given, url)
  if (command !== undefined) return execSubject(given, command)
  if (name !== undefined) {
    const { bundledOrigins, startBundled } = await import('../targets/bundled.ts')
    const names = bundledOrigins().map((origin) => origin.name)
    if (!names.includes(name)) {
      throw usage('There is no such origin', { flag: '--origin', given: name, instead: names.join(', ') })
    }
    return {
      says: `the bundled origin ${name}`,
      kind: 'origin',
      start: (settings, progress) => startBundled(name, settings, progress.note),
    }
  }
  const { embeddedTarget } = await import('../targets/embedded.ts')
  return { says: 'the embedded reference origin', kind: 'embedded', start: (settings) => embeddedTarget(settings) }
}

async function urlSubject(given: Given, text: string): Promise<Subject> {
  const url = urlOf(text, 'The target', '--token-command')
  await assertAllowed(url, given.values['i-am-authorised'] === true)
  const { urlTarget } = await import('../targets/url.ts')
  const clockUrl = textOf(given, 'clock-url')
  const file = textOf(given, 'profile-file')
  const { hookClock } = await import('../clock/hook.ts')
  return {
    says: url.href,
    kind: 'url',
    start: async () => ({
      ...urlTarget(url.href, clockUrl === undefined ? undefined : await hookClock(clockUrl)),
      expected: file === undefined ? [] : readExpected(file),
    }),
  }
}

/** Path and variables of an origin that the run starts. */
function ownOf(given: Given): { readonly path: string; readonly env: Readonly<Record<string, string>> } {
  const path = textOf(given, 'path') ?? '/'
  if (!path.startsWith('/'))
    throw usage('The path does not begin with a slash', { flag: '--path', given: path, instead: `/${path}` })
  const pairs = (given.values['env'] as readonly string[] | undefined) ?? []
  const env = pairs.map((pair) => {
    const equals = pair.indexOf('=')
    if (equals < 1)
      throw usage('The variable has no value', { flag: '--env', given: pair, instead: `${pair || 'NAME'}=VALUE` })
    return [pair.slice(0, equals), pair.slice(equals + 1)] as const
  })
  return { path, env: Object.fromEntries(env) }
}

function execSubject(given: Given, command: string): Subject {
  const { path, env } = ownOf(given)
  return {
    says: 'the origin of --exec',
    kind: 'exec',
    async start(settings) {
      const { startProcess } = await import('../targets/process.ts')
      return await startProcess({
        command,
        env,
        path,
        profile: {},
        settings,
        readyMs: READY_MS,
        virtualTime: given.values['no-virtual-time'] !== true,
      })
    },
  }
}

/** The operations of the document of --openapi. */
async function operationsFor(given: Given): Promise<readonly Operation[]> {
  const source = textOf(given, 'openapi')
  if (source === undefined) return []
  const { loadDocument } = await import('../openapi/document.ts')
  const { operationsOf } = await import('../openapi/operations.ts')
  const document = await loadDocument(source, async (url) => {
    const answer = await request(url, { signal: AbortSignal.timeout(10_000) })
    if (answer.statusCode !== 200) throw new Error(`Status ${answer.statusCode}`)
    return await answer.body.text()
  })
  return operationsOf(document)
}
