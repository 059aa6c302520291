interface Leak {
  /** Completes "the answer holds …". */
  readonly what: string
  readonly pattern: RegExp
  /** A text that the pattern must find. */
  readonly sample: string
}

/** Texts that a refusal must not hold, each with a sample that it must find. */
export const LEAKS: readonly Leak[] = [
  {
    what: 'a stack trace of Node.js',
    pattern: /\bat [^\n]{0,300}?[\w.-]{1,100}\.[cm]?[jt]s:\d+:\d+|\bnode:internal\//u,
    sample: 'Error: x\\n    at verify (file:///app/src/auth.mjs:12:9)',
  },
  {
    what: 'a stack trace of Python',
    pattern: /Traceback \(most recent call last\)|File [^\n]{1,300}?, line \d+/u,
    sample: 'File \\"auth.py\\", line 12, in verify',
  },
  {
    what: 'a stack trace of Java',
    pattern: /\bat [\w$.]+(?:\.<init>)?\((?:[\w$]+\.(?:java|kt|scala):\d+|Native Method|Unknown Source)\)/u,
    sample: 'at com.example.Auth.verify(Auth.java:12)',
  },
  {
    what: 'a stack trace of Go',
    pattern: /\bgoroutine \d+ \[|\w\.go:\d+/u,
    sample: 'goroutine 7 [running]:\\nmain.verify(auth.go:12)',
  },
  { what: 'a stack trace of Ruby', pattern: /\w\.rb:\d+:in\b/u, sample: "auth.rb:12:in 'verify'" },
  {
    what: 'a stack trace of .NET',
    pattern: /\bat (?:System|Microsoft)\.[\w.`]+\(|\bat [\w.`]+\([^)\n]{0,200}\) in [^\n]{1,300}?:line \d+/u,
    sample: 'at Example.Auth.Verify(String token) in Auth.cs:line 12',
  },
  {
    what: 'a stack trace of PHP',
    pattern: /\.php(?:\(\d+\)|:\d+)|\.php(?:<\/b>)? on line (?:<b>)?\d+/u,
    sample: '#0 Auth.php(12): verify()',
  },
  {
    what: 'the path of a file',
    pattern:
      /\/(?:app|etc|home|opt|private|root|srv|tmp|Users|usr|var|workspace)\/[\w./@+-]{1,300}\.(?:[cm]?[jt]sx?|py|rb|go|jar|php|cs|dll|so|pem|key|crt)\b|\/(?:node_modules|site-packages|dist-packages)\/|\b[A-Z]:\\{1,2}[\w .-]+\\/u,
    sample: '/srv/api/keys/public.pem',
  },
  {
    what: 'a PEM block',
    pattern: /-----BEGIN [A-Z0-9 ]{1,40}-----/u,
    sample: '-----BEGIN PUBLIC KEY-----',
  },
  {
    what: 'the numbers of a JWK',
    pattern: /\\?"(?:n|d|p|q|dp|dq|qi|k)\\?"\s*:\s*\\?"[\w-]{40,}/u,
    sample: `"n":"${'x'.repeat(64)}"`,
  },
  {
    what: 'the URL of a JWKS',
    pattern: /https?:\/\/[^\s"'<>]{1,300}(?:jwks|openid-configuration)/iu,
    sample: 'cannot fetch http://gateway.internal/.well-known/jwks.json',
  },
]

/** Name of the leak that no pattern can find: the caller's own credential in the answer. */
export const SUBMITTED = 'the credential that was sent'

/** What of all this the text holds; `sent` are the credentials of the request, whole or in part. */
export function leaksIn(text: string, sent: readonly string[]): readonly string[] {
  // Shorter pieces occur in answers by chance.
  const pieces = sent.flatMap((value) => value.split(/[\s,]+/u)).filter((piece) => piece.length >= 24)
  return [
    ...LEAKS.filter(({ pattern }) => pattern.test(text)).map(({ what }) => what),
    ...(pieces.some((piece) => text.includes(piece)) ? [SUBMITTED] : []),
  ]
}
