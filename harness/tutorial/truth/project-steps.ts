import { addPolicy, FILES, JWT_POLICY, readIn, writeIn } from '../project.ts'
import { applied, diffOf } from './variant.ts'

/** `aud` that the gateway is told to write and the origin to expect. */
export const AUDIENCE = 'https://orders.example.com'

/** Steps that mend the project of the gateway. */
const STEPS = {
  attach: (project: string) => addPolicy(project, JWT_POLICY),
  async algorithm(project: string) {
    const edit = {
      from: 'new JwtServicePlugin()',
      to: 'new JwtServicePlugin({ algorithm: "RS256" })',
    }
    await writeIn(project, FILES.runtime, applied(await readIn(project, FILES.runtime), edit))
  },
  audience: (project: string, audience: string) =>
    addPolicy(project, { ...JWT_POLICY, handler: { ...JWT_POLICY.handler, options: { audience } } }),
} as const satisfies Readonly<Record<string, (project: string, audience: string) => Promise<void>>>

/** The name of a step. */
export type ProjectStep = keyof typeof STEPS

/** Mends the project; the diff of what changed. */
export async function mendProject(project: string, step: ProjectStep, audience = AUDIENCE): Promise<string> {
  const names = [FILES.policies, FILES.routes, FILES.runtime]
  const texts = () => Promise.all(names.map((name) => readIn(project, name)))
  const before = await texts()
  await STEPS[step](project, audience)
  const after = await texts()
  const diffs = names.map((name, at) => diffOf(name, before[at] ?? '', after[at] ?? ''))
  return diffs.filter((diff) => diff !== '').join('\n')
}
