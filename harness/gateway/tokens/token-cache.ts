/** A value that goes out with requests, such as `Bearer eyJ…`. */
export interface KeptToken {
  readonly value: string
  /** Milliseconds since the epoch until which it may go out. */
  readonly freshMs: number
}

/** Tokens by consumer and audience: one is given for exactly those that it was kept for. */
export interface TokenCache {
  readonly get: (sub: string, aud: string) => KeptToken | undefined
  readonly set: (sub: string, aud: string, token: KeptToken) => void
  readonly clear: () => void
}

/** What the maps need for an entry beside its texts, in octets; an estimate. */
const ENTRY_OCTETS = 200

/**
 * Keeps tokens in about as many octets as `most` twice over, whatever callers ask for: audiences may be URLs that they
 * choose. When the young half is full it becomes the old one, whose tokens go unless they are asked for meanwhile.
 */
export function createTokenCache(most = 16 * 1024 * 1024): TokenCache {
  let young = new Map<string, Map<string, KeptToken>>()
  let old: typeof young = new Map()
  let octets = 0
  const keep = (sub: string, aud: string, token: KeptToken): void => {
    const size = aud.length + token.value.length + ENTRY_OCTETS
    if (octets + size > most) {
      old = young
      young = new Map()
      octets = 0
    }
    octets += size
    const own = young.get(sub)
    if (own) own.set(aud, token)
    else young.set(sub, new Map([[aud, token]]))
  }
  return {
    get(sub, aud) {
      const token = young.get(sub)?.get(aud)
      if (token) return token
      const former = old.get(sub)?.get(aud)
      if (former) keep(sub, aud, former)
      return former
    },
    set: keep,
    clear() {
      young = new Map()
      old = new Map()
      octets = 0
    },
  }
}
