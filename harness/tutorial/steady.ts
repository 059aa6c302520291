/** What differs between two runs, and what stands for it. */
const VOLATILE: readonly (readonly [RegExp, string])[] = [
  // Folders of one run.
  [/[^\s'"]*\/trustspec-tutorial-\w{6}/gu, '/tmp/trustspec-tutorial'],
  [/\b127\.0\.0\.1:\d{4,5}\b/gu, '127.0.0.1:PORT'],
  [/\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/gu, '…'],
  [/\b\d{4}-\d\d-\d\dT[\d:.]+Z/gu, '…'],
  // Times since 1970, in seconds.
  [/(?<![\w.])1[7-9]\d{8}(?![\w.])/gu, '"…"'],
  // Thumbprints, key material, hashes.
  [/[\w-]{40,}/gu, '…'],
  [/\bkey_[\da-f]{32}\b/gu, 'key_…'],
  [/tsk_…\w{4}/gu, 'tsk_…'],
  [/\b\d+(?:\.\d+)?( ?)ms\b/gu, '…$1ms'],
]

/** The text without what differs between two runs. */
export function steadied(text: string): string {
  return VOLATILE.reduce((steady, [pattern, to]) => steady.replaceAll(pattern, to), text)
}
