import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALL_SUITES, allCases } from '../../suites/catalog.ts'
import type { AnySuite } from '../../suites/catalog.ts'
import type { Report, ReportCollection } from '../model/result.ts'
import { MAIN, trustspec } from './cli.testing.ts'
import type { Ended } from './cli.testing.ts'
import { FLAGS } from './flags.ts'
import { HELP } from './help.ts'
import { explainCase, listCases } from './list.ts'

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'trustspec-cli-'))
  await writeFile(path.join(folder, 'profile.json'), '{"algoritms":["RS256"]}')
  await writeFile(path.join(folder, 'wrong.json'), '{"leewaySec":"60"}')
  await writeFile(path.join(folder, 'config.toml'), '')
  await writeFile(path.join(folder, 'broken.json'), '{ keys')
  await writeFile(path.join(folder, 'broken.yaml'), 'subject: [\n')
  await writeFile(path.join(folder, 'failing.mjs'), 'throw new Error("no such thing")')
  await writeFile(path.join(folder, 'empty.ts'), 'export const config = 1')
  await writeFile(path.join(folder, 'wrong-config.json'), '{"subject":"gateway","capturePort":"9001"}')
})

afterAll(() => rm(folder, { recursive: true }))

const cli = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> => trustspec(folder, args, env)

/** A port on which something listens. */
async function listening(handle: http.RequestListener = (_, response) => response.writeHead(401).end()) {
  const server = http.createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}/protected`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

describe('what is wrong is said in one sentence, with exit code 2', () => {
  test.concurrent.each<readonly [string, readonly string[], string]>([
    ['mistyped command', ['rum'], 'ERR_USAGE: There is no such command (given rum); instead: run, or see --help.'],
    [
      'mistyped flag',
      ['run', '--sute', 'x'],
      'ERR_USAGE: There is no such flag (flag --sute); instead: --suite, or see --help.',
    ],
    [
      'flag without value',
      ['run', '--json'],
      'ERR_USAGE: The flag needs a value (flag --json); instead: --json=VALUE.',
    ],
    [
      'flag with value',
      ['run', '--strict=yes'],
      'ERR_USAGE: The flag takes no value (flag --strict); instead: --strict.',
    ],
    ['unknown suite', ['run', '--suite', 'clams'], 'There is no such suite (suite clams); instead: origin/claims.'],
    [
      'unknown case',
      ['run', '--case', 'iss-wrng'],
      'There is no such case (case iss-wrng); instead: origin/claims/iss-wrong.',
    ],
    ['unknown level', ['run', '--level', 'WILL'], 'There is no such level (flag --level, given WILL)'],
    [
      'nothing selected',
      ['run', '--suite', 'claims', '--case', 'alg-none'],
      'ERR_NOTHING_SELECTED: No case matches every selection',
    ],
    [
      'no URL',
      ['run', 'localhost:8888/x'],
      'The target is no URL of an HTTP server (given localhost:8888/x); instead: http://localhost:8888/x.',
    ],
    ['other scheme', ['run', 'ftp://127.0.0.1/'], 'instead: a URL that starts with http:// or https://.'],
    [
      'credentials in the URL',
      ['run', 'http://me:secret@127.0.0.1/'],
      'ERR_USAGE: The URL holds credentials (given 127.0.0.1)',
    ],
    ['public address', ['run', 'http://93.184.216.34/'], 'ERR_TARGET_NOT_ALLOWED: The target has a public address'],
    [
      'nothing listens',
      ['run', 'http://127.0.0.1:1/'],
      'ERR_TARGET_UNREACHABLE: Nothing answers at the URL under test (url http://127.0.0.1:1/)',
    ],
    ['two URLs', ['run', 'http://127.0.0.1:1/', 'http://127.0.0.1:2/'], 'One URL is tested at a time'],
    [
      'two targets',
      ['run', 'http://127.0.0.1:1/', '--exec', 'x'],
      'More than one target is given (given a URL and --exec)',
    ],
    [
      'two rungs',
      ['run', 'http://127.0.0.1:1/', '--token', 'x', '--issuer-port', '9'],
      'More than one way to a valid token is given',
    ],
    ['a rung without target', ['run', '--issuer-port', '9000'], 'The flag needs a target (flag --issuer-port)'],
    ['env without exec', ['run', '--env', 'A=B'], 'The flag belongs to --exec (flag --env)'],
    [
      'env without value',
      ['run', '--exec', 'x', '--env', 'A'],
      'The variable has no value (flag --env, given A); instead: A=VALUE.',
    ],
    [
      'port out of range',
      ['run', 'http://127.0.0.1:1/', '--issuer-port', '70000'],
      'instead: a whole number from 1 to 65535.',
    ],
    [
      'seed that is none',
      ['run', '--seed', 'abc'],
      'The value is no whole number within the bounds (flag --seed, given abc)',
    ],
    ['no profile', ['run', '--profile-file', 'none.json'], 'The profile cannot be read (--profile-file none.json)'],
    [
      'unknown gateway',
      ['run', '--profile', 'zupl'],
      'There is no such gateway (flag --profile, given zupl); instead: zuplo,',
    ],
    ['a file for a gateway', ['run', '--profile', 'none.json'], 'instead: --profile-file none.json.'],
    [
      'no clock of its own',
      ['run', '--clock-url', 'http://127.0.0.1:1/'],
      'The flag belongs to a URL (flag --clock-url)',
    ],
    [
      'JWKS of nobody',
      ['run', '--origin', 'node-express-jose', '--jwks-url', 'http://127.0.0.1:1/'],
      'The flag does nothing here (flag --jwks-url)',
    ],
    ['no document', ['run', '--openapi', 'none.yaml'], 'The OpenAPI document cannot be read (where none.yaml)'],
    ['one report', ['compare', 'profile.json'], 'Two reports are compared (given 1)'],
    [
      'no report',
      ['compare', 'profile.json', 'none.json'],
      'The file is no report of this version (file profile.json)',
    ],
    ['mistyped member', ['run', '--profile-file', 'profile.json'], 'a known member; the nearest one is "algorithms".'],
    [
      'member of another type',
      ['run', '--profile-file', 'wrong.json'],
      'member leewaySec, given "60"); instead: seconds as a number, 0 or more.',
    ],
    [
      'algorithm that is none',
      ['run', '--alg', 'RS257'],
      'The profile is wrong (where the flags, member algorithms[0], given "RS257"); instead: "RS256", an algorithm out of',
    ],
    [
      'symmetric algorithm',
      ['run', '--alg', 'HS256'],
      'No JWKS can hold a key for a declared algorithm (algorithms HS256)',
    ],
    [
      'report in a missing folder',
      ['run', '--json', 'none/report.json'],
      'The report cannot be written (--json none/report.json)',
    ],
    [
      'unknown origin',
      ['run', '--origin', 'django'],
      'There is no such origin (flag --origin, given django); instead: go-golang-jwt, ',
    ],
    [
      'a gateway where nothing listens',
      ['run', 'http://127.0.0.1:1/', '--as', 'gateway', '--api-key', 'k'],
      'ERR_TARGET_UNREACHABLE: Nothing answers at the URL under test (url http://127.0.0.1:1/)',
    ],
    [
      'a chain where nothing listens',
      ['run', 'http://127.0.0.1:1/', '--as', 'chain', '--api-key', 'k'],
      'ERR_TARGET_UNREACHABLE: ',
    ],
    [
      'mistyped subject',
      ['run', '--as', 'gatway'],
      'There is no such subject (flag --as, given gatway); instead: --as gateway, out of origin, gateway, chain.',
    ],
    [
      'flag of another subject',
      ['run', 'http://127.0.0.1:1/', '--capture-port', '9001'],
      'The flag is not for origins (flag --capture-port); instead: --as gateway, or leave it out.',
    ],
    [
      'flag of an origin at a gateway',
      ['run', 'http://127.0.0.1:1/', '--as', 'gateway', '--issuer-port', '9100'],
      'The flag is not for gateways (flag --issuer-port); instead: --as origin, or leave it out.',
    ],
    [
      'a key without a gateway',
      ['run', '--as', 'gateway', '--api-key', 'a-secret'],
      'The flag belongs to the URL of a gateway (flag --api-key)',
    ],
    [
      'a port without a chain',
      ['run', '--tap-port', '9001'],
      'The URL of the gateway is missing (flag --tap-port); instead: the URL of a route of the gateway beside it.',
    ],
    [
      'a tap without an origin',
      ['run', 'http://127.0.0.1:1/', '--as', 'chain', '--tap-port', '9001'],
      'The tap has to know the origin (flag --tap-port); instead: --origin-url URL beside it.',
    ],
    [
      'a proxy without a JWKS',
      ['run', 'http://127.0.0.1:1/', '--as', 'chain', '--jwks-proxy-port', '9001'],
      'The proxy has to know the JWKS (flag --jwks-proxy-port); instead: --jwks-url URL beside it.',
    ],
    [
      'place of a key',
      ['run', 'http://127.0.0.1:1/', '--as', 'gateway', '--key-in', 'heder:X-API-Key'],
      'This is no place for a key (flag --key-in, given heder:…); instead: header:X-API-Key,',
    ],
    [
      'the same key twice',
      ['run', 'http://127.0.0.1:1/', '--as', 'gateway', '--api-key', 'k', '--api-key', 'k'],
      'The same key is given twice (flag --api-key); instead: keys of different consumers.',
    ],
    [
      'no file of keys',
      ['run', 'http://127.0.0.1:1/', '--as', 'gateway', '--api-key-file', 'none.txt'],
      'The file of keys cannot be read (--api-key-file none.txt)',
    ],
    [
      'a second origin without the first',
      ['run', 'http://127.0.0.1:1/', '--as', 'gateway', '--second-capture-port', '9001'],
      'The second origin needs the first one (flag --second-capture-port); instead: --capture-port N beside it.',
    ],
    [
      'JWKS that is no URL',
      ['run', 'http://127.0.0.1:1/', '--as', 'gateway', '--jwks-url', '/jwks.json'],
      'The profile is wrong (where the flags, member jwksUrl, given a text); instead: a URL that starts with',
    ],
    [
      'public address of a JWKS',
      ['run', 'http://127.0.0.1:1/', '--as', 'gateway', '--jwks-url', 'http://93.184.216.34/jwks.json'],
      'ERR_TARGET_NOT_ALLOWED: The target has a public address (url http://93.184.216.34/jwks.json',
    ],
    [
      'bundled gateway',
      ['run', '--gateway', 'ngnix'],
      'There is no such gateway (flag --gateway, given ngnix); instead: ',
    ],
    [
      'two kinds of targets',
      ['run', 'http://127.0.0.1:1/', '--gateway', 'nginx'],
      'More than one target is given (given a URL and --gateway); instead: one of them.',
    ],
    [
      'no configuration',
      ['run', '--config', 'none.json'],
      'The configuration cannot be used (file none.json, given does not exist); instead: a file that exists.',
    ],
    [
      'a configuration of another form',
      ['run', '--config', 'config.toml'],
      'The configuration cannot be used (file config.toml, given has the extension .toml); instead: .ts, .mts,',
    ],
    [
      'a configuration that is no JSON',
      ['run', '--config', 'broken.json'],
      'The configuration cannot be used (file broken.json, given cannot be parsed at line 1, column 3); instead: JSON.',
    ],
    [
      'a configuration that is no YAML',
      ['run', '--config', 'broken.yaml'],
      'The configuration cannot be used (file broken.yaml, given cannot be parsed at line 2, column 1); instead: YAML.',
    ],
    [
      'a configuration that fails',
      ['run', '--config', 'failing.mjs'],
      'The configuration cannot be used (file failing.mjs, given failed: no such thing); instead: a module that can be imported.',
    ],
    [
      'a configuration without export',
      ['run', '--config', 'empty.ts'],
      'given has no default export); instead: export default defineGateway({ … }).',
    ],
    [
      'a mistake in a configuration',
      ['run', '--config', 'wrong-config.json'],
      'ERR_PROFILE_INVALID: The configuration is wrong (where wrong-config.json, member capturePort, given "9001"); instead: a port: a whole number from 1 to 65535.',
    ],
    [
      'a configuration beside another target',
      ['run', '--config', 'wrong-config.json', '--gateway', 'nginx'],
      'More than one target is given (given --config and --gateway); instead: one of them.',
    ],
    [
      'command that ends',
      ['run', '--exec', 'echo oh no; exit 4'],
      'ERR_TARGET_DID_NOT_START: The origin did not start',
    ],
    ['case to explain', ['explain'], 'The case is missing (command explain)'],
    [
      'unknown case to explain',
      ['explain', 'crit-unknow'],
      'There is no such case (given crit-unknow); instead: origin/signature/crit-unknown.',
    ],
    ['suite to list', ['list', '--suite', 'clams'], 'There is no such suite (suite clams); instead: origin/claims.'],
    [
      'algorithm of the issuer',
      ['issuer', '--alg', 'HS256'],
      'The issuer has no key for this algorithm (flag --alg, given HS256)',
    ],
  ])('%s', async (_, args, sentence) => {
    const { code, err } = await cli(args)

    expect(err).toContain(sentence)
    expect(err.trim().split('\n').at(-1)).toMatch(/^ERR_[A-Z_]+: .*\.$/u)
    expect(code).toBe(2)
  })

  test('a port in use', async () => {
    await using taken = await listening()
    const { code, err } = await cli(['run', taken.url, '--issuer-port', String(taken.port)])

    expect(err).toContain(`ERR_PORT_IN_USE: The port is in use (port ${taken.port}); instead: a free one.`)
    expect(code).toBe(2)
  })

  test('a token that is none, which is not repeated, and a command that fails', async () => {
    await using origin = await listening()
    const token = await cli(['run', origin.url, '--token', 'not-a-secret-jwt'])
    const command = await cli(['run', origin.url, '--token-command', 'exit 7'])

    expect(token.err).toContain('The token is no signed JWT in compact form')
    expect(token.err + token.out).not.toContain('not-a-secret-jwt')
    expect(command.err).toContain('The command that prints a token failed (flag --token-command, exit 7)')
    expect([token.code, command.code]).toEqual([2, 2])
  })
})

describe('help', () => {
  test.each(Object.entries(FLAGS))('of %s tells every flag', (command, flags) => {
    const told = command === 'explain' ? [] : Object.keys(flags).filter((flag) => flag !== 'help')

    for (const flag of told) expect(HELP[command]).toContain(`--${flag}`)
    expect(HELP[command]).not.toBe('')
  })

  test('is what the README tells', async () => {
    const readme = await readFile(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8')

    for (const flag of Object.keys(FLAGS.run)) expect(readme).toContain(`--${flag}`)
  })

  test.concurrent.each([[['--help']], [[]], [['run', '--help']], [['--version']]])('%j exits with 0', async (args) => {
    const { code, out, err } = await cli(args)

    expect(out).not.toBe('')
    expect(err).toBe('')
    expect(code).toBe(0)
  })
})

describe('list and explain', () => {
  test('know every case of every subject', () => {
    const given = { values: {}, positionals: [] }
    const all = allCases<AnySuite>(ALL_SUITES)
    for (const { id } of all) {
      expect(listCases(given)).toContain(id)
      expect(explainCase(id, { colour: false })).toContain('How to meet it')
    }
    expect(explainCase('claims/iss-wrong', { colour: false })).toBe(explainCase('iss-wrong', { colour: false }))
    expect(explainCase('chain/happy-path', { colour: false })).toContain(': the chain ')
    expect(JSON.parse(listCases({ ...given, values: { json: true } }))).toHaveLength(all.length)
    expect(JSON.parse(listCases({ ...given, values: { json: true, as: 'origin' } }))).toHaveLength(99)
    expect(listCases({ ...given, values: { as: 'gateway' } })).toMatch(
      /^MUST {4}gateway\/key-auth\/control-valid\n {8}The gateway /u,
    )
  })
})

describe('run', () => {
  test('without a target is about every subject of which something is selected, with one report for each', async () => {
    const suites = ['--suite', 'claims,challenge', '--suite', 'key-auth', '--case', 'iss-wrong,missing']
    const { code, out } = await cli(['run', '--json', 'all.json', '--seed', '7', ...suites])
    const all = JSON.parse(await readFile(path.join(folder, 'all.json'), 'utf8')) as ReportCollection
    const compared = await cli(['compare', 'all.json', 'all.json'])

    expect(code).toBe(0)
    expect(out).toMatch(
      /^Part 1 of 2: the origin\ntrustspec: 1 case against the embedded reference origin, .*, seed 7\n/u,
    )
    expect(out).toContain(
      '\nPart 2 of 2: the gateway\ntrustspec: 1 case against the embedded reference gateway, seed 7\n',
    )
    expect(out).toMatch(/\n2 cases \(origin, gateway\): 2 pass; [\d.]+ s; exit code 0\nThe report is in all.json\n$/u)
    expect(all).toMatchObject({ version: 1, exit: { code: 0 } })
    expect(all.reports.map(({ subject, seed, cases }) => [subject, seed, cases.length])).toEqual([
      ['origin', 7, 1],
      ['gateway', 7, 1],
    ])
    expect(compared).toMatchObject({ code: 0, out: 'Nothing changed.\n' })
  })

  test('--as alone is about that subject, with its report alone', async () => {
    const { code, out } = await cli(['run', '--as', 'chain', '--json', 'chain.json', '--case', 'happy-path'])
    const report = JSON.parse(await readFile(path.join(folder, 'chain.json'), 'utf8')) as Report

    expect(code).toBe(0)
    expect(out).toMatch(/^trustspec: 1 case against the embedded reference gateway with the embedded reference origin/u)
    expect(report).toMatchObject({ subject: 'chain', summary: { pass: 1 } })
  })

  test('several mistakes of a profile are a line each', async () => {
    await writeFile(path.join(folder, 'three.json'), '{"leewaySec":"1","typ":2,"subjects":[]}')
    const { code, err } = await cli(['run', '--profile-file', 'three.json'])

    expect(code).toBe(2)
    expect(err.trim().split('\n')).toHaveLength(3)
  })

  test('of an origin that lets anyone in exits with 1, and colours only where it may', async () => {
    await using origin = await listening((_, response) => response.end('{}'))
    const plain = await cli(['run', origin.url, '--case', 'alg-none'])
    const coloured = await cli(['run', origin.url, '--case', 'alg-none'], { NO_COLOR: '', FORCE_COLOR: '1' })

    expect([plain.code, coloured.code]).toEqual([1, 1])
    expect(plain.out).toContain('fail-open  origin/signature/alg-none  MUST')
    expect(plain.out).toContain('curl -i -H ')
    expect(plain.out).not.toContain('\u001b[')
    expect(coloured.out).toContain('\u001b[')
  })

  test('stops when its reader has gone', async () => {
    const child = spawn('/bin/sh', ['-c', `"${process.execPath}" "${MAIN}" list | head -1`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])

    expect(out.split('\n')).toHaveLength(2)
    expect(err).toBe('')
  })

  test('is interrupted with 130, and the origin that it started ends', async () => {
    const script = `const s = require('http').createServer(() => {}).listen(process.env.PORT, '127.0.0.1'); console.log(process.pid)`
    await writeFile(path.join(folder, 'hang.cjs'), `${script}; require('fs').writeFileSync('pid', String(process.pid))`)
    const child = spawn(
      process.execPath,
      [MAIN, 'run', '--exec', `exec "${process.execPath}" hang.cjs`, '--timeout', '60'],
      {
        cwd: folder,
        env: { ...process.env, XDG_CACHE_HOME: folder },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    const err = text(child.stderr)
    const pid = await polled(async () => Number(await readFile(path.join(folder, 'pid'), 'utf8')))
    child.kill('SIGINT')
    const [code] = (await once(child, 'exit')) as [number]

    expect(code).toBe(130)
    expect(await err).toContain('Interrupted: the target is stopped')
    await polled(() => {
      expect(() => process.kill(pid, 0)).toThrow('ESRCH')
      return Promise.resolve(true)
    })
  })

  test('the issuer alone ends with Ctrl-C and tells each fetch', async () => {
    const child = spawn(process.execPath, [MAIN, 'issuer'], {
      env: { ...process.env, XDG_CACHE_HOME: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    const url = await polled(() => Promise.resolve(/JWKS URL {3}(\S+)/u.exec(out)?.[1]))
    await (await fetch(url)).text()
    await polled(() => Promise.resolve(/200 document/u.exec(out)?.[0]))
    child.kill('SIGINT')
    const [code] = (await once(child, 'exit')) as [number]

    expect(code).toBe(0)
    expect(out).toMatch(/token {6}eyJ/u)
  })
})

/** The first value that is there; fails after ten seconds with what was last in the way. */
async function polled<T>(look: () => Promise<T | undefined>): Promise<T> {
  let last: unknown
  for (const until = Date.now() + 10_000; Date.now() < until;) {
    try {
      const value = await look()
      if (value !== undefined) return value
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('Nothing came', { cause: last })
}
