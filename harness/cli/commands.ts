import { EXIT } from '../model/verdict.ts'
import type { ExitCode } from '../model/verdict.ts'
import type { Command, Given } from './args.ts'
import type { Output } from './run.ts'

/** What a command is given besides its arguments. */
export interface Surroundings extends Output {
  /** A line for people, on standard error. */
  readonly note: (line: string) => void
  /** Ctrl-C. */
  readonly signal: AbortSignal
}

type Run = (given: Given, surroundings: Surroundings) => Promise<ExitCode>

/** What each command does; whatever it needs is loaded with it alone. */
export const COMMANDS: Readonly<Record<Command, Run>> = {
  async run(given, { signal, ...output }) {
    const { runCommand } = await import('./run.ts')
    const running = runCommand(given, output, signal)
    return (await Promise.race([running, whenAborted(signal)])).exit.code
  },
  async list(given, { print }) {
    const { listCases } = await import('./list.ts')
    print(`${listCases(given)}\n`)
    return EXIT.conforms
  },
  async explain({ positionals }, { print, style }) {
    const { explainCase } = await import('./list.ts')
    print(`${explainCase(positionals[0], style)}\n`)
    return EXIT.conforms
  },
  async compare({ positionals }, { print, style }) {
    const { compareCommand } = await import('./compare.ts')
    return compareCommand(positionals, style, print)
  },
  async baseline(given, { print }) {
    const { baselineCommand } = await import('./baseline.ts')
    await baselineCommand(given, print)
    return EXIT.conforms
  },
  async matrix(given, { print }) {
    const { matrixCommand } = await import('./matrix.ts')
    return await matrixCommand(given, print)
  },
  async issuer(given, { print, signal }) {
    const { runIssuer } = await import('./issuer.ts')
    await runIssuer(given, lines(print), signal)
    return EXIT.conforms
  },
  async gateway(given, { print, signal }) {
    const { runGateway } = await import('./gateway.ts')
    await runGateway(given, lines(print), signal)
    return EXIT.conforms
  },
  async keys(given, { print, note }) {
    const { runKeys } = await import('./keys.ts')
    await runKeys(given, lines(print), note)
    return EXIT.conforms
  },
  async tutorial(given, surroundings) {
    const { tutorialCommand } = await import('./tutorial.ts')
    await tutorialCommand(given, surroundings)
    return EXIT.conforms
  },
  async verify(given, { print, style }) {
    const { verifyCommand } = await import('./verify.ts')
    return verifyCommand(given, style, print)
  },
  async init(given, { print }) {
    const { initCommand } = await import('./init.ts')
    await initCommand(given, process.cwd(), lines(print))
    return EXIT.conforms
  },
}

function lines(print: (text: string) => void): (line: string) => void {
  return (line) => {
    print(`${line}\n`)
  }
}

/** Rejects on Ctrl-C, whatever the run is waiting for. */
function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error('Interrupted'))
    })
  })
}
