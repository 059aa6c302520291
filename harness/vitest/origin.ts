import type { OriginProfile } from '../model/profile.ts'

/** What an origin that trusts the run is told. */
export interface Told {
  readonly issuer: string
  readonly jwksUrl: string
  /** Audience of the tokens. */
  readonly audience: string
}

/** Servers of a run that an origin has to reach, or be able to. */
export interface ServersOfRun {
  /** Serves the documents of the issuer, under the paths that they have at its host. */
  readonly serverUrl: string
  /** Records who follows the URLs in a token. */
  readonly canaryUrl: string
}

/** An issuer whose documents the origin fetches by a means that is none of the network, as `trustspec/msw` makes it. */
export interface InterceptedIssuer {
  readonly issuer: string
  readonly jwksUrl: string
  /** Answers for the host until disposed, out of the server of the run. */
  readonly intercept: (run: ServersOfRun) => Promise<AsyncDisposable>
}

/** An origin as it declares itself, with how it is reached; it may run inside the test process. */
export interface OriginUnderTest extends Omit<OriginProfile, 'issuer'> {
  /**
   * URL of a protected route. A function is asked when the issuer of the run listens: it can start the origin with what
   * it is told, or wait for one that is not there yet when tests are collected.
   */
  readonly url: string | ((told: Told) => string | Promise<string>)
  /** The issuer that the origin has hard-coded. */
  readonly issuer?: InterceptedIssuer
  /** A token of its real issuer, asked for again when it has expired: for an origin that trusts no issuer of the run. */
  readonly realToken?: () => string | Promise<string>
}
