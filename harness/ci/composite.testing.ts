import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { data, Evaluator, Lexer, Parser } from '@actions/expressions'

/** A step of a composite action or of a job. */
export interface Step {
  readonly name?: string
  readonly id?: string
  readonly if?: string
  readonly run?: string
  readonly uses?: string
  readonly shell?: string
  readonly env?: Readonly<Record<string, string>>
  readonly with?: Readonly<Record<string, string | number | boolean>>
  readonly 'working-directory'?: string
  readonly 'continue-on-error'?: boolean
}

/** What a step came to. */
export interface StepResult {
  readonly name: string
  readonly outcome: 'success' | 'failure' | 'skipped'
  readonly code: number | null
  readonly out: string
  /** Of a step that uses another action: what it is given. */
  readonly given: Readonly<Record<string, string>>
}

/** What all steps came to. */
export interface JobResult {
  readonly ok: boolean
  readonly steps: readonly StepResult[]
  /** Outputs by step and name. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Octets of the job summary. */
  readonly summary: string
  readonly evaluate: (text: string) => string
}

/** Contexts that expressions may name. */
export type Contexts = Readonly<Record<string, Tree>>

type Tree = string | { readonly [name: string]: Tree }

/** Runs the shell steps as a runner does; steps that use other actions are recorded and succeed. */
export async function runSteps(
  steps: readonly Step[],
  settings: { readonly cwd: string; readonly contexts: Contexts; readonly env?: Readonly<Record<string, string>> },
): Promise<JobResult> {
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-job-'))
  const summaryFile = path.join(folder, 'summary')
  await writeFile(summaryFile, '')
  const results: StepResult[] = []
  const outputs: Record<string, Record<string, string>> = {}
  let ok = true
  const evaluate = (expression: string): string => {
    const steps = Object.fromEntries(Object.entries(outputs).map(([id, own]) => [id, { outputs: own }]))
    return filled(expression, { ...settings.contexts, steps }, ok)
  }
  try {
    for (const [at, step] of steps.entries()) {
      const name = step.name ?? step.uses ?? `step ${at}`
      const condition = (step.if ?? 'success()').replace(/^\$\{\{(.*)\}\}$/su, '$1')
      const asked = /\b(?:always|success|failure)\(/u.test(condition) ? condition : `success() && (${condition})`
      const given = Object.fromEntries(
        Object.entries(step.with ?? {}).map(([input, value]) => [input, evaluate(String(value))]),
      )
      if (evaluate(`\${{ (${asked}) && 'yes' || 'no' }}`) !== 'yes') {
        results.push({ name, outcome: 'skipped', code: null, out: '', given: {} })
        continue
      }
      if (step.run === undefined) {
        results.push({ name, outcome: 'success', code: null, out: '', given })
        continue
      }
      const file = path.join(folder, `output-${at}`)
      await writeFile(file, '')
      const own = Object.entries(step.env ?? {}).map(([variable, value]) => [variable, evaluate(value)])
      const env = {
        ...process.env,
        ...settings.env,
        GITHUB_ACTIONS: 'true',
        RUNNER_TEMP: folder,
        GITHUB_OUTPUT: file,
        GITHUB_STEP_SUMMARY: summaryFile,
        ...Object.fromEntries(own),
      }
      const cwd = path.resolve(settings.cwd, evaluate(step['working-directory'] ?? '.'))
      const script = path.join(folder, `step-${at}.sh`)
      await writeFile(script, evaluate(step.run))
      const { code, out } = await bash(script, cwd, env)
      if (step.id !== undefined) outputs[step.id] = readOutputs(await readFile(file, 'utf8'))
      if (code !== 0 && step['continue-on-error'] !== true) ok = false
      results.push({ name, outcome: code === 0 ? 'success' : 'failure', code, out, given })
    }
    return { ok, steps: results, outputs, summary: await readFile(summaryFile, 'utf8'), evaluate }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Runs a script as runners do: it ends at the first command that fails. */
export async function bash(script: string, cwd: string, env: NodeJS.ProcessEnv) {
  const args = ['--noprofile', '--norc', '-eo', 'pipefail', script]
  const child = spawn('bash', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: code as number | null, out: out + err }
}

function readOutputs(content: string): Record<string, string> {
  const lines = content.split('\n').filter((line) => line !== '')
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

/** The text with its expressions evaluated. */
export function filled(text: string, contexts: Contexts, ok = true): string {
  const status = [
    { name: 'always', minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(true) },
    { name: 'success', minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(ok) },
    { name: 'failure', minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(!ok) },
  ]
  return text.replaceAll(/\$\{\{(.*?)\}\}/gsu, (_, expression: string) => {
    const { tokens } = new Lexer(expression).lex()
    const parsed = new Parser(tokens, Object.keys(contexts), status).parse()
    const functions = new Map(status.map((one) => [one.name, one]))
    return new Evaluator(parsed, dictionary(contexts), functions).evaluate().coerceString()
  })
}

function dictionary(tree: Readonly<Record<string, Tree>>): data.Dictionary {
  const pairs = Object.entries(tree).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? new data.StringData(value) : dictionary(value),
  }))
  return new data.Dictionary(...pairs)
}
