import { execFileSync } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../cli/run.ts'
import { installPython } from './install.ts'
import { startProcess } from './process.ts'
import { hasRuntime } from './runtimes.testing.ts'

const FIRST_USE_MS = 240_000

/** A host that does not exist (RFC 6761 section 6.4). */
const ISSUER = 'https://gateway.invalid/__zuplo/issuer'

/** Tells its time by two clocks: of the wall, and since it started. */
const JAVA = `import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
public class Clocks {
  public static void main(String[] given) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT"))), 0);
    server.createContext("/", exchange -> {
      byte[] text = (System.currentTimeMillis() / 1000 + " " + System.nanoTime() / 1000000000L).getBytes();
      exchange.sendResponseHeaders(200, text.length);
      exchange.getResponseBody().write(text);
      exchange.close();
    });
    server.start();
  }
}
`

/** Tells the same in Go, linked statically. */
const GO = `package main

import ("fmt"; "net/http"; "os"; "time")

func main() {
	started := time.Now()
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%d %d", time.Now().Unix(), int64(time.Since(started).Seconds()))
	})
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil)
}
`

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-unmodified-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text)
  return folder
}

test.runIf(hasRuntime('python', 'that an origin with a hard-coded https issuer runs unmodified'))(
  'a Python origin with a hard-coded https issuer is judged as it is',
  { timeout: FIRST_USE_MS },
  async () => {
    const sample = fileURLToPath(new URL('../../origins/tornado-hardened/', import.meta.url))
    const python = await installPython(sample, console.log)
    const folder = await folderWith({})
    await cp(sample, folder, { recursive: true })
    const app = path.join(folder, 'app.py')
    const source = await readFile(app, 'utf8')
    const hardCoded = source.replace(/^ISSUER = .*$/mu, `ISSUER = ${JSON.stringify(ISSUER)}`)
    await writeFile(app, hardCoded.replace(/^JWKS_URL = .*$/mu, 'JWKS_URL = f"{ISSUER}/.well-known/jwks.json"'))
    expect(await readFile(app, 'utf8')).toContain(`ISSUER = "${ISSUER}"\n`)

    const printed: string[] = []
    const given = {
      exec: `cd ${JSON.stringify(folder)} && exec ${JSON.stringify(python)} app.py`,
      path: '/protected',
      issuer: ISSUER,
      alg: ['RS256'],
      suite: ['signature', 'claims'],
      seed: '1',
    }
    const { reports } = await runCommand(
      { values: given, positionals: [] },
      { print: (text) => printed.push(text), progress: process.stderr, style: { colour: false } },
      new AbortController().signal,
    )

    const [report] = reports
    expect(report?.preflight.cause).toBeUndefined()
    expect(report?.preflight.checks.find(({ name }) => name === 'fetched the JWKS')?.ok).toBe(true)
    expect(report?.cases.filter(({ verdict }) => verdict === 'pass').length).toBeGreaterThan(20)
    expect(report?.cases.filter(({ verdict }) => !['pass', 'skip'].includes(verdict)).map(({ id }) => id)).toEqual([])
  },
)

/** Seconds by the wall and since the start, as the program tells them. */
async function clocks(url: string): Promise<readonly [wall: number, monotonic: number]> {
  const [wall, monotonic] = (await (await request(url, { reset: true })).body.text()).split(' ')
  return [Number(wall), Number(monotonic)]
}

const START = {
  path: '/',
  profile: {},
  settings: { issuer: ISSUER, jwksUrl: ISSUER, audience: 'https://orders.example.com' },
  readyMs: 60_000,
}

const JVM = 'that the clock of a JVM moves'
test.runIf(hasRuntime('java', JVM) && hasRuntime('faketime', JVM))(
  'both clocks of a JVM move, and it goes on answering',
  { timeout: 120_000 },
  async () => {
    const cwd = await folderWith({ 'Clocks.java': JAVA })
    await using target = await startProcess({ ...START, command: 'exec java Clocks.java', cwd })
    const before = await clocks(target.url)
    await target.clock?.advance(700)
    const after = await clocks(target.url)

    expect(target.noClock).toBeUndefined()
    expect(after[0] - before[0]).toBeGreaterThanOrEqual(699)
    expect(after[1] - before[1]).toBeGreaterThanOrEqual(699)
    expect(target.deaths?.()).toEqual([])
  },
)

const STATIC = 'that a static program is found out to keep its own time'
test.runIf(hasRuntime('go', STATIC) && hasRuntime('faketime', STATIC))(
  'a statically linked program keeps its own time, and the run says so',
  { timeout: 120_000 },
  async () => {
    const cwd = await folderWith({ 'main.go': GO, 'go.mod': 'module clocks\n\ngo 1.21\n' })
    execFileSync('go', ['build', '-o', 'clocks', '.'], { cwd, env: { ...process.env, CGO_ENABLED: '0' } })
    await using target = await startProcess({ ...START, command: 'exec ./clocks', cwd })
    const before = await clocks(target.url)
    await target.clock?.advance(700)
    const after = await clocks(target.url)

    expect(after[0] - before[0]).toBeLessThan(600)

    const { reports } = await runCommand(
      {
        values: { exec: path.join(cwd, 'clocks'), suite: ['kid-rotation'], seed: '1' },
        positionals: [],
      },
      { print: () => undefined, progress: process.stderr, style: { colour: false } },
      new AbortController().signal,
    )
    // It lets everybody in, so that the pre-flight comes as far as its clock.
    expect(reports[0]?.preflight.checks.find(({ name }) => name === 'time can be moved')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('as is so with Go and statically linked programs') as string,
    })
  },
)
