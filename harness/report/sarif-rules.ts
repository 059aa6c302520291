import type { CaseResult, Report } from '../model/result.ts'
import type { Level } from '../model/verdict.ts'
import { requirementOf } from './words.ts'

/** Tags that GitHub shows of a rule; it takes twenty. */
const MOST_TAGS = 10

/** What a broken requirement of each level is called by SARIF, and by GitHub. */
const LEVELS: Readonly<Record<Level, { readonly level: 'error' | 'warning' | 'note'; readonly problem: string }>> = {
  MUST: { level: 'error', problem: 'error' },
  MAY: { level: 'error', problem: 'error' },
  SHOULD: { level: 'warning', problem: 'warning' },
  INFO: { level: 'note', problem: 'recommendation' },
}

/**
 * Severity of a broken MUST by its weaknesses, as base scores of CVSS 3.1 for an attack over the network that needs
 * nothing else: 9.1 takes identity or access, 7.5 discloses what is secret or takes the service away, 5.3 is less.
 */
const SEVERITIES: readonly (readonly [score: string, weaknesses: readonly number[]])[] = [
  ['9.1', [287, 290, 295, 306, 347, 348, 384, 444, 488, 613, 636, 647, 807, 862, 918]],
  ['7.5', [200, 312, 324, 331, 400, 405, 522, 524, 532, 598, 770]],
]

/** A reportingDescriptor of SARIF for each case, in the order of the report. */
export function rulesOf({ cases, subject }: Report): readonly object[] {
  return cases.map((result) => {
    const { id, clause, level, rationale } = result
    const requirement = requirementOf(result, subject)
    const [first] = clause
    return {
      id,
      name: pascalCase(id),
      shortDescription: { text: requirement },
      fullDescription: { text: `${requirement} ${rationale}` },
      defaultConfiguration: { level: LEVELS[level].level },
      ...(first ? { helpUri: first.url } : {}),
      help: { text: helpText(result, requirement), markdown: helpMarkdown(result, requirement) },
      properties: propertiesOf(result),
    }
  })
}

/** `origin/claims/iss-wrong` as `OriginClaimsIssWrong`. */
function pascalCase(id: string): string {
  return id
    .split(/[/-]/u)
    .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`)
    .join('')
}

function propertiesOf({ clause, level }: CaseResult): object {
  const weaknesses = clause.flatMap(({ id }) => {
    const number = /^cwe-(\d+)$/u.exec(id)?.[1]
    return number === undefined ? [] : [Number(number)]
  })
  const cwes = weaknesses.map((number) => `external/cwe/cwe-${String(number).padStart(3, '0')}`)
  const isSecurity = level === 'MUST' || cwes.length > 0
  return {
    tags: [...(isSecurity ? ['security'] : []), 'conformance', ...cwes].slice(0, MOST_TAGS),
    precision: 'very-high',
    'problem.severity': LEVELS[level].problem,
    ...(isSecurity ? { 'security-severity': severityOf(level, weaknesses) } : {}),
  }
}

function severityOf(level: Level, weaknesses: readonly number[]): string {
  if (level !== 'MUST') return '3.7'
  return SEVERITIES.find(([, of]) => weaknesses.some((number) => of.includes(number)))?.[0] ?? '5.3'
}

function helpText({ clause, rationale, remedy, snippets }: CaseResult, requirement: string): string {
  return [
    requirement,
    rationale,
    `Remedy: ${remedy}`,
    ...Object.entries(snippets).map(([library, code]) => `${library}:\n${code}`),
    `Required by: ${clause.map(({ title, url }) => `${title} (${url})`).join('; ')}`,
  ].join('\n\n')
}

function helpMarkdown({ clause, rationale, remedy, snippets }: CaseResult, requirement: string): string {
  return [
    `**${requirement}** ${rationale}`,
    `## Remedy\n\n${remedy}`,
    ...Object.entries(snippets).map(([library, code]) => `With ${library}:\n\n\`\`\`\n${code}\n\`\`\``),
    `## Required by\n\n${clause.map(({ title, url }) => `- [${title}](${url})`).join('\n')}`,
  ].join('\n\n')
}
