#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { ConfigurationError } from '../config/mistakes.ts'
import { endOutages } from '../config/outages.ts'
import { sentence, TrustspecError } from '../model/errors.ts'
import { EXIT } from '../model/verdict.ts'
import { packageVersion } from '../runner/version.ts'
import { readArgs, usage } from './args.ts'
import type { Command } from './args.ts'
import { COMMANDS } from './commands.ts'
import { FLAGS } from './flags.ts'
import { HELP } from './help.ts'
import { nearest } from '../model/nearest.ts'

/** Exit code of a process that Ctrl-C ended. */
const INTERRUPTED = 130

enableCompileCache()

// A reader that goes away, as head does, ends the output and not the run.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

const interrupted = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    interrupted.abort()
  })
}

function print(text: string): void {
  process.stdout.write(text)
}

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    print(HELP[''] ?? '')
    return EXIT.conforms
  }
  if (name === '--version') {
    print(`${packageVersion()}\n`)
    return EXIT.conforms
  }
  const commands = Object.keys(FLAGS) as Command[]
  const command = commands.find((known) => known === name)
  if (!command)
    throw usage('There is no such command', { given: name, instead: `${nearest(name, commands)}, or see --help` })
  const given = readArgs(command, rest)
  if (given.values['help'] === true) {
    print(HELP[command] ?? '')
    return EXIT.conforms
  }
  return await COMMANDS[command](given, {
    print,
    note(line) {
      process.stderr.write(`${line}\n`)
    },
    progress: process.stderr,
    style: { colour: wantsColour() },
    signal: interrupted.signal,
  })
}

/** NO_COLOR and FORCE_COLOR as their conventions have it, else what the terminal can do. */
function wantsColour(): boolean {
  const { NO_COLOR: no, FORCE_COLOR: force } = process.env
  if (no !== undefined && no !== '') return false
  return (force !== undefined && force !== '0') || (process.stdout.isTTY && process.stdout.hasColors())
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (interrupted.signal.aborted) {
    process.stderr.write('Interrupted: the target is stopped, nothing is proven.\n')
    await endOutages()
    // What the harness started ends with it: its guardian sees the pipe close.
    process.exit(INTERRUPTED)
  } else if (error instanceof TrustspecError && error.code !== 'ERR_HARNESS') {
    const errors = error instanceof ConfigurationError ? error.all : [error]
    for (const one of errors) process.stderr.write(`${one.code}: ${sentence(one)}\n`)
    process.exitCode = EXIT.usage
  } else {
    process.stderr.write('trustspec itself failed; this is a defect, please report it with the text below.\n')
    console.error(error)
    process.exitCode = EXIT.harness
  }
}
