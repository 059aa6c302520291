declare module 'openapi-sampler' {
  /** A value that fits the schema; references are looked up in `spec`. */
  export function sample(
    schema: object,
    options?: { readonly skipReadOnly?: boolean; readonly quiet?: boolean; readonly skipNonRequired?: boolean },
    spec?: object,
  ): unknown
}
