import type { KeyWish } from '../model/gateway-bench.ts'
import type { JsonObject } from '../model/json.ts'

/** A wish that a hook which issues keys may heed; what it does not heed is not asked of it. */
export type Wish = keyof KeyWish

/** The variable by which a hook is told of each wish. */
export const WISH_VARIABLES: Readonly<Record<Wish, string>> = {
  like: 'LIKE_KEY',
  expiresInSec: 'EXPIRES_IN_SEC',
  disabled: 'DISABLED',
  unentitled: 'UNENTITLED',
  plain: 'PLAIN',
  attribute: 'ATTRIBUTE',
}

/** A command for a POSIX shell. What it has to know is in its environment, keys too. */
export interface CommandHook {
  readonly command: string
  /** Longest time that it may take; default 30. */
  readonly timeoutSec?: number
}

/** An HTTP call, which has to be answered 2xx. `${NAME}` stands for a variable of the hook or of the environment. */
export interface HttpHook {
  readonly url: string
  /** Default POST; GET where there is no body and the hook reads logs. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON; a member that is a variable alone has its type, and goes where it does not apply. */
  readonly body?: string | JsonObject
  /** Longest time that it may take; default 30. */
  readonly timeoutSec?: number
}

/** What is done: a command, or an HTTP call. */
export type ActionHook = string | CommandHook | HttpHook

/** What an action that issues keys says besides. */
export interface Issuing {
  /**
   * What it can do besides making a key of a new consumer that works: a further key of a consumer (`like`), one that
   * ends (`expiresInSec`), one that is switched off, one that may not use the route of the entitlement, one of a consumer without
   * attributes, or with one of a given value (`attribute`). Default: none.
   */
  readonly wishes?: readonly Wish[]
  /** JSON pointers into what it gives back; default: members `key`, `consumer`, `subject`, `identity` and `id`. */
  readonly result?: {
    readonly key: string
    readonly consumer?: string
    readonly subject?: string
    readonly identity?: string
    readonly id?: string
  }
}

/** Makes a key, and gives back `{"key": "…"}`, or the key alone on one line. */
export type IssueHook = string | (CommandHook & Issuing) | (HttpHook & Issuing)

/** Takes something down and up again: a pair, or one action that gets ACTION=down or ACTION=up. */
export type OutageHook = ActionHook | { readonly down: ActionHook; readonly up: ActionHook }

/** What an operator can do to the gateway, by name; each unlocks cases. */
export interface HooksConfig {
  /** Gets CONSUMER, and with its wishes LIKE_KEY, EXPIRES_IN_SEC, EXPIRES_AT, DISABLED, UNENTITLED, PLAIN, ATTRIBUTE. */
  readonly issueKey?: IssueHook
  /** Gets KEY, CONSUMER, and ID where issueKey gave one. */
  readonly revokeKey?: ActionHook
  readonly rotateSigningKey?: ActionHook
  /** Gets KID. */
  readonly revokeSigningKey?: ActionHook
  /** Returns when the gateway has been restarted; the run waits until it listens. */
  readonly restart?: ActionHook
  readonly keyStoreDown?: OutageHook
  readonly limitStoreDown?: OutageHook
  readonly signerDown?: OutageHook
  /** Gives back what the gateway has logged, as text. */
  readonly logs?: ActionHook
}
