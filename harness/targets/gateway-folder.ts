import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { TrustspecError } from '../model/errors.ts'
import type { ApiKey, GatewayProfile } from '../model/gateway-profile.ts'
import type { GatewayFixture } from './gateway-fixtures.ts'

const run = promisify(execFile)

/** One API key, as the lists of a gateway have it. */
interface Consumer {
  readonly key: string
  readonly consumer: string
  readonly plan: 'gold' | 'silver'
}

/** Consumers whose keys are the main ones. */
const MAIN = ['alpha', 'beta', 'delta'] as const

/** Keys for cases that use one up. */
const SPARE_KEYS = 40

const RANDOM_LENGTH = 32
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** The folder in which a gateway runs: its configuration with the words filled in, and the keys that it knows. */
export class GatewayFolder {
  readonly #fixture: GatewayFixture
  readonly #folder: string
  readonly #words: Readonly<Record<string, string>>
  readonly #made: readonly Consumer[]
  readonly #former: Consumer
  readonly #revoked = new Set<string>()

  constructor(fixture: GatewayFixture, folder: string, words: Readonly<Record<string, string>>) {
    this.#fixture = fixture
    this.#folder = folder
    this.#words = words
    const made = (consumer: string, plan: Consumer['plan'] = 'gold'): Consumer => ({
      key: (fixture.start.key ?? 'tsk_{random}').replaceAll('{random}', randomText),
      consumer,
      plan,
    })
    this.#former = made('former')
    this.#made = [
      ...MAIN.map((name) => made(name)),
      made('gamma', 'silver'),
      made('pair'),
      made('pair'),
      ...Array.from({ length: SPARE_KEYS }, (_, at) => made(`spare-${at}`)),
    ]
  }

  /** Writes the configuration, and consumers.json. */
  write(): void {
    const source = path.join(this.#fixture.folder, 'config')
    for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const file = path.join(entry.parentPath, entry.name)
      const copy = path.join(this.#folder, path.relative(source, file))
      mkdirSync(path.dirname(copy), { recursive: true })
      writeFileSync(copy, this.filled(readFileSync(file, 'utf8')))
    }
    writeFileSync(path.join(this.#folder, 'consumers.json'), JSON.stringify(this.#known()))
  }

  /**
   * The text with its words filled in. The lines of a list are indented like the word that stands for them, which may be
   * in a comment of YAML.
   */
  filled(text: string): string {
    const words = /(?:^([ \t]*)(?:# )?)?\{([a-z_]+)\}/gmu
    return text.replaceAll(words, (whole, indent: string | undefined, word: string) => {
      const line = this.#fixture.start.lists?.[word]
      if (line === undefined) return whole.replace(`{${word}}`, () => this.#words[word] ?? `{${word}}`)
      return this.#known()
        .map((one) => (indent ?? '') + line.replaceAll(/\{(key|consumer|plan)\}/gu, (_, of: keyof Consumer) => one[of]))
        .join('\n')
    })
  }

  /** Runs a command of the configuration to its end. */
  async shell(command: string): Promise<void> {
    try {
      await run('/bin/sh', ['-c', this.filled(command)], { cwd: this.#folder })
    } catch (error) {
      const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
      throw new TrustspecError(
        'ERR_TARGET_DID_NOT_START',
        'A command of the gateway failed',
        { gateway: this.#fixture.name, command, output: output.trim().slice(-400) },
        { cause: error },
      )
    }
  }

  /** Takes the key out of the lists. */
  revoke(key: string): void {
    this.#revoked.add(key)
    this.write()
  }

  /** What the gateway declares, with the keys of this run. */
  profile(): GatewayProfile {
    const declared = JSON.parse(this.filled(JSON.stringify(this.#fixture.profile))) as GatewayProfile
    const of = (isMeant: (consumer: string) => boolean): readonly ApiKey[] =>
      this.#made.filter(({ consumer }) => isMeant(consumer)).map(asApiKey)
    const [first, second] = of((consumer) => consumer === 'pair')
    const { entitlement } = declared
    return {
      ...declared,
      keys: of((consumer) => MAIN.some((name) => name === consumer)),
      spareKeys: of((consumer) => consumer.startsWith('spare-')),
      revokedKeys: [asApiKey(this.#former)],
      ...(first && second ? { pairOfKeys: [first, second] } : {}),
      ...(entitlement === undefined
        ? {}
        : { entitlement: { ...entitlement, otherKeys: of((consumer) => consumer === 'gamma') } }),
    }
  }

  #known(): readonly Consumer[] {
    return this.#made.filter(({ key }) => !this.#revoked.has(key))
  }
}

function asApiKey({ key, consumer }: Consumer): ApiKey {
  return { key, consumer, subject: consumer, identity: { 'X-Consumer-ID': consumer } }
}

function randomText(): string {
  return Array.from({ length: RANDOM_LENGTH }, () => BASE62[randomInt(BASE62.length)]).join('')
}
