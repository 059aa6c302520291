import type { CaseResult, Check } from './result.ts'

/** What happens during a run, in order; for progress. */
export type RunEvent =
  | { readonly type: 'captures'; readonly capture: string; readonly secondCapture: string; readonly keyListUrl: string }
  | { readonly type: 'between'; readonly tapUrl: string; readonly jwksProxyUrl: string }
  | { readonly type: 'issuer'; readonly issuer: string; readonly jwksUrl: string }
  | { readonly type: 'target'; readonly url: string }
  | { readonly type: 'check'; readonly check: Check }
  | { readonly type: 'started'; readonly id: string }
  | { readonly type: 'case'; readonly result: CaseResult; readonly done: number; readonly of: number }
