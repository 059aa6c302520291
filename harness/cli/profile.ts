import { readFileSync } from 'node:fs'
import { PROFILE_SHAPE } from '../config/config-shape.ts'
import { ConfigurationError } from '../config/mistakes.ts'
import { TrustspecError } from '../model/errors.ts'
import type { OriginProfile } from '../model/profile.ts'

/** The profile in the value; ERR_PROFILE_INVALID has a sentence for each member that is wrong, with what to write. */
export function parseProfile(value: unknown, where: string): OriginProfile {
  const mistakes = PROFILE_SHAPE.check(value, '')
  if (mistakes.length > 0) throw new ConfigurationError('The profile is wrong', where, mistakes)
  const { $schema: _, ...profile } = value as OriginProfile & { readonly $schema?: string }
  return profile
}

/** Reads a profile from a JSON file. */
export function readProfile(file: string): OriginProfile {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new TrustspecError(
      'ERR_USAGE',
      'The profile cannot be read',
      { '--profile-file': file, instead: 'a file that exists and holds JSON' },
      { cause: error },
    )
  }
  return parseProfile(content, file)
}
