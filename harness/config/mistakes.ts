import { TrustspecError } from '../model/errors.ts'
import type { Mistake } from './shape.ts'

/** Mistakes that are told at once. */
const MOST_TOLD = 10

/** ERR_PROFILE_INVALID for the first mistake; the others, up to ten in all, stand beside it. */
export class ConfigurationError extends TrustspecError {
  /** One error for each mistake, this one first. */
  readonly all: readonly TrustspecError[]

  constructor(message: string, where: string, mistakes: readonly Mistake[]) {
    const told = mistakes.slice(0, MOST_TOLD).map(({ member, given, instead }) => ({
      where,
      member: member === '' ? 'the whole' : member,
      ...(given === undefined ? {} : { given }),
      instead,
    }))
    super('ERR_PROFILE_INVALID', message, told[0] ?? { where })
    this.all = [this, ...told.slice(1).map((fields) => new TrustspecError('ERR_PROFILE_INVALID', message, fields))]
  }
}
