export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/** A JSON object as a token or a JWKS carries it. */
export type JsonObject = Readonly<Record<string, Json>>

/** Changes to a JSON object: a value replaces the member, `undefined` removes it. */
export type Change = Readonly<Record<string, Json | undefined>>
