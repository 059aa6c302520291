import { readFileSync } from 'node:fs'
import { PROFILE_SHAPE } from '../config/config-shape.ts'
import { ConfigurationError } from '../config/mistakes.ts'
import { TrustspecError } from '../model/errors.ts'
import type { OriginProfile } from '../model/profile.ts'
import type { ExpectedFinding } from '../model/result.ts'

/** The profile in the value; ERR_PROFILE_INVALID has a sentence for each member that is wrong, with what to write. */
export function parseProfile(value: unknown, where: string): OriginProfile {
  const mistakes = PROFILE_SHAPE.check(value, '')
  if (mistakes.length > 0) throw new ConfigurationError('The profile is wrong', where, mistakes)
  const { $schema: _, ...profile } = value as OriginProfile & { readonly $schema?: string }
  return profile
}

/** Reads a profile from a JSON file, or from the origin.json of a sample. */
export function readProfile(file: string): OriginProfile {
  const content = readJson(file)
  return parseProfile(isSample(content) ? content.profile : content, file)
}

/** The findings that the origin.json of a sample lists; none in a plain profile. */
export function readExpected(file: string): readonly ExpectedFinding[] {
  const content = readJson(file)
  return isSample(content) ? content.expected : []
}

interface Sample {
  readonly profile: unknown
  readonly expected: readonly ExpectedFinding[]
}

function isSample(content: unknown): content is Sample {
  return typeof content === 'object' && content !== null && 'profile' in content && 'expected' in content
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown
  } catch (error) {
    throw new TrustspecError(
      'ERR_USAGE',
      'The profile cannot be read',
      { '--profile-file': file, instead: 'a file that exists and holds JSON' },
      { cause: error },
    )
  }
}
