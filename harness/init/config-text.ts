import { stringify } from 'yaml'
import type { Subject } from '../model/case.ts'

/** What is to be put under test, as far as it is known. */
export interface Wish {
  readonly subject: Subject
  /** URL of a protected route; of the gateway, where there is one. */
  readonly url: string
  /** The command that starts the origin, instead of the URL. */
  readonly exec?: string
  /** Route of what it starts. */
  readonly path: string
  /** The protected route at the origin itself, of a chain. */
  readonly originUrl: string
}

/** Formats that a configuration can be written in. */
export const CONFIG_FORMATS = ['ts', 'yaml'] as const

export type ConfigFormat = (typeof CONFIG_FORMATS)[number]

const DEFINE: Readonly<Record<Subject, string>> = {
  origin: 'defineOrigin',
  gateway: 'defineGateway',
  chain: 'defineChain',
}

const DECLARED = ['What is declared and broken fails; what is not declared is measured, or skipped by name.']

/** Hints behind the members: lines that do nothing until somebody declares more. */
const HINTS: Readonly<Record<Subject, readonly string[]>> = {
  origin: ["algorithms: ['RS256']", "audience: 'https://orders.example.com'", "marker: 'text of an accepted answer'"],
  gateway: [
    "keyLocations: [{ in: 'header', name: 'X-API-Key' }]",
    "audience: 'https://orders.example.com'",
    "jwksUrl: 'http://localhost:8080/issuer/.well-known/jwks.json'",
    'capturePort: 9001',
  ],
  chain: ['tapPort: 9001', 'jwksProxyPort: 9002'],
}

/** The text of a configuration. */
export function configText(wish: Wish, format: ConfigFormat): string {
  const members = membersOf(wish)
  const remarks = [...remarksOf(wish), ...DECLARED]
  const hints = HINTS[wish.subject]
  if (format === 'yaml') {
    const body = stringify({ subject: wish.subject, ...members }, { singleQuote: true })
    return lines([...remarks.map((line) => `# ${line}`), body.trimEnd(), ...hints.map((line) => `# ${line}`)])
  }
  const define = DEFINE[wish.subject]
  return lines([
    `import { ${define} } from 'trustspec'`,
    '',
    ...remarks.map((line) => `// ${line}`),
    `export default ${define}({`,
    ...Object.entries(members).map(([name, value]) => `  ${name}: ${literal(value)},`),
    ...hints.map((line) => `  // ${line},`),
    '})',
  ])
}

type Members = Readonly<Record<string, string | Readonly<Record<string, string>>>>

function membersOf({ subject, url, exec, path, originUrl }: Wish): Members {
  if (subject === 'chain') return { gateway: { url }, origin: { url: originUrl } }
  return subject === 'origin' && exec !== undefined ? { exec, path } : { url }
}

function remarksOf({ subject, exec }: Wish): readonly string[] {
  if (subject === 'gateway') {
    return ['API keys of two consumers come from TRUSTSPEC_API_KEY and TRUSTSPEC_API_KEY_2 in the environment.']
  }
  if (subject === 'chain') {
    return ['API keys of two consumers come from TRUSTSPEC_API_KEY and TRUSTSPEC_API_KEY_2 in the environment.']
  }
  if (exec === undefined) {
    return ['The origin has to be running; issuerPort or tokenCommand beside the URL let more be proven.']
  }
  return [
    'The command has to listen on 127.0.0.1 at PORT, and to trust ISSUER with the keys at JWKS_URL, which the run sets',
    'in its environment. {port}, {issuer}, {jwks_url} and {audience} in the command are filled in as well.',
  ]
}

function literal(value: Members[string]): string {
  if (typeof value === 'string') {
    return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
  }
  return `{ ${Object.entries(value)
    .map(([name, inner]) => `${name}: ${literal(inner)}`)
    .join(', ')} }`
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`
}
