import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { TrustspecError } from '../model/errors.ts'
import { packageFile } from '../model/files.ts'
import type { GatewayProfile } from '../model/gateway-profile.ts'
import type { ExpectedFinding } from '../model/result.ts'

const run = promisify(execFile)

/** Words for ports that a gateway listens on. */
export type PortWord = 'port' | 'signer_port' | 'admin_port'

/** One process of a gateway, ready when it listens on its port. */
export interface GatewayProcess {
  readonly name: string
  /** For a POSIX shell, run in the folder of the run. */
  readonly command: string
  readonly port: PortWord
}

/** A gateway of somebody else as its gateway.json describes it; fixtures/gateways/README.md says which words are filled in. */
export interface GatewayFixture {
  readonly name: string
  readonly folder: string
  readonly title: string
  /** What the findings were recorded with. */
  readonly version: string
  readonly start: {
    /** Programs or files of the machine, each with the Debian package that has it. */
    readonly programs?: readonly { readonly command?: string; readonly file?: string; readonly debian: string }[]
    /** Its packages are named in a package-lock.json, requirements.txt or pom.xml of the folder. */
    readonly runtime?: 'node' | 'python'
    /** What an API key looks like; default `tsk_{random}`. */
    readonly key?: string
    /** One line for each key, by the word that stands for all lines. */
    readonly lists?: Readonly<Record<string, string>>
    /** Run before the processes, in order. */
    readonly prepare?: readonly string[]
    readonly processes: readonly [GatewayProcess, ...GatewayProcess[]]
    /** Run when all listen, also after a restart. */
    readonly provision?: string
    /** Its processes run under libfaketime. */
    readonly virtualTime?: boolean
  }
  readonly hooks?: {
    /** Run when the lists have been written anew. */
    readonly applyKeys?: string
    readonly rotateSigningKey?: string
    readonly revokeSigningKey?: string
    /** Name of the process without which there are no tokens. */
    readonly signer?: string
    /** Logs that it writes besides its output. */
    readonly logFiles?: readonly string[]
  }
  /** Path of the route that is the default. */
  readonly path: string
  readonly profile: GatewayProfile
  readonly expected: readonly ExpectedFinding[]
}

const FOLDER = fileURLToPath(packageFile('fixtures/gateways/'))

/** The configurations of gateways that are not ours, by name. */
export function gatewayFixtures(): readonly GatewayFixture[] {
  return readdirSync(FOLDER)
    .filter((name) => existsSync(path.join(FOLDER, name, 'gateway.json')))
    .toSorted()
    .map((name) => {
      const folder = path.join(FOLDER, name)
      const described = JSON.parse(readFileSync(path.join(folder, 'gateway.json'), 'utf8')) as GatewayFixture
      return { ...described, name, folder }
    })
}

/** The configuration of that name; ERR_USAGE where there is none, ERR_RUNTIME_MISSING where a program is not there. */
export async function gatewayFixture(name: string): Promise<GatewayFixture> {
  const fixtures = gatewayFixtures()
  const fixture = fixtures.find((candidate) => candidate.name === name)
  if (!fixture) {
    throw new TrustspecError('ERR_USAGE', 'There is no such gateway', {
      flag: '--gateway',
      given: name,
      instead: fixtures.map((candidate) => candidate.name).join(', '),
    })
  }
  const missing = await missingPackages(fixture)
  if (missing.length > 0) {
    throw new TrustspecError('ERR_RUNTIME_MISSING', 'This gateway needs programs that are not there', {
      gateway: name,
      instead: `install them, on Debian with: apt-get install ${missing.join(' ')}`,
    })
  }
  return fixture
}

/** Debian packages whose programs the gateway needs and this machine lacks. */
export async function missingPackages({ start }: GatewayFixture): Promise<readonly string[]> {
  const missing: string[] = []
  for (const { command, file, debian } of start.programs ?? []) {
    const isThere = file === undefined ? await hasCommand(command ?? '') : existsSync(file)
    if (!isThere) missing.push(debian)
  }
  return missing
}

async function hasCommand(command: string): Promise<boolean> {
  return await run('/bin/sh', ['-c', `command -v ${command}`]).then(
    () => true,
    () => false,
  )
}
