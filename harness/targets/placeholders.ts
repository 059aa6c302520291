import type { TargetSettings } from './target.ts'

/** Fills `{port}`, `{issuer}`, `{jwks_url}` and `{audience}` into a text. */
export function fillerOf({ issuer, jwksUrl, audience }: TargetSettings, port: number): (text: string) => string {
  const values: Readonly<Record<string, string>> = { port: String(port), issuer, jwks_url: jwksUrl, audience }
  return (text) => text.replaceAll(/\{(port|issuer|jwks_url|audience)\}/gu, (_, name: string) => values[name] ?? '')
}

/** The variables that every target is told, and its own with the placeholders filled in. */
export function variablesOf(
  settings: TargetSettings,
  port: number,
  own: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const { issuer, jwksUrl, audience } = settings
  const filled = fillerOf(settings, port)
  return {
    PORT: String(port),
    ISSUER: issuer,
    JWKS_URL: jwksUrl,
    AUDIENCE: audience,
    ...settings.environment,
    ...Object.fromEntries(Object.entries(own).map(([name, value]) => [name, filled(value)])),
  }
}
