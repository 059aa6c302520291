import type { IssuerResponse } from '../model/jwks.ts'

/** Faults by the name of what the world sees. */
export const FAULTS = {
  'jwks-500': { status: 500, body: '{"error":"internal"}' },
  'jwks-503': { status: 503, body: '{"error":"unavailable"}' },
  'jwks-404': { status: 404, body: '{"error":"not found"}' },
  'jwks-429': { status: 429, body: '{"error":"slow down"}', headers: { 'retry-after': '60' } },
  /** An error page with status 200, as captive portals and proxies give it. */
  'jwks-html': { body: '<!doctype html><title>Welcome</title>', headers: { 'content-type': 'text/html' } },
  'jwks-empty-body': { body: '' },
  'jwks-empty-set': { document: { keys: [] } },
  'jwks-not-json': { body: '{"keys":[' },
  'jwks-wrong-shape': { document: ['keys'] },
  'jwks-truncated': { truncate: true },
  'jwks-slow': { delayMs: 2_000 },
  'jwks-drip': { dripMs: 20 },
  'jwks-hang': { hang: true },
  'jwks-reset': { reset: true },
  'jwks-refused': { refuse: true },
  'jwks-endless': { endless: true },
  'jwks-gzip-bomb': { padding: 32 * 1024 * 1024, gzip: true },
  'jwks-redirect': { redirect: 'canary' },
} as const satisfies Record<string, IssuerResponse>

export type FaultName = keyof typeof FAULTS
