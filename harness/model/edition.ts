import type { Level } from './verdict.ts'

/** How binding a requirement is in an edition, and without which capability it falls to what. */
export interface EditionLevel {
  readonly level: Level
  readonly drops?: { readonly without: string; readonly to: Level }
}

/** A frozen list of what counts, so that a newer trustspec demands no more than was agreed upon. */
export interface Edition {
  /** `2026.1` */
  readonly name: string
  /** By full id of the case. */
  readonly cases: Readonly<Record<string, EditionLevel>>
  /** Cases that are not in it, with the edition that they came with or are to come with. */
  readonly upcoming: Readonly<Record<string, string>>
}
