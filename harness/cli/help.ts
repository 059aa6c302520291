/** Texts of --help, by command; the empty name is that of the program. */
export const HELP: Readonly<Record<string, string>> = {
  '': `trustspec: conformance of the hop between an API gateway and its origin

Usage
  trustspec run [URL] [flags]     tests an origin; without a target, the embedded reference origin
  trustspec list [--suite NAME]   lists the cases
  trustspec explain CASE          says what a case requires, why, and how to meet it
  trustspec compare A.json B.json says what changed between two runs, verdicts and behaviour
  trustspec issuer [--port N]     runs the issuer alone: JWKS, discovery and a journal of fetches
  trustspec COMMAND --help        says more about a command
  trustspec --version

In a checkout: npm run conformance -- [URL] [flags], npm run trustspec -- COMMAND

Exit codes
  0  every requirement that applied was met, or is an accepted finding
  1  a requirement is broken or could not be established, or an accepted finding no longer shows
  2  usage, configuration, target unreachable, nothing selected
  3  the harness itself failed
`,
  run: `trustspec run [URL] [flags]: tests an origin

What is tested (one of them; without any, the embedded reference origin)
  URL                    the URL of a protected route, such as http://localhost:8888/protected
  --origin NAME          a bundled origin, started as a process (see "origins" in the README)
  --exec COMMAND         a command that starts an origin; {port} {issuer} {jwks_url} {audience} are filled in
  --env NAME=VALUE       a variable of that command, with the same placeholders; may be repeated
  --path PATH            path of the protected route under --exec (default /)
  --no-virtual-time      starts the command without libfaketime
  --as KIND              origin (this version tests origins alone)
  --i-am-authorised      permits a target with a public address

How much can be proven (the ladder: each rung unlocks cases)
  (a URL alone)          what must be refused
  --token TOKEN          a valid token of the origin's own issuer; better --token-command, which no one can see
  --token-command CMD    a command that prints one; asked again when it has expired
  --issuer-port N        the origin trusts the issuer that the run starts on this port
  (--exec, --origin)     the run starts the origin, and it trusts the run's issuer
  --issuer https://…     under --exec: an issuer that the origin has hard-coded; the run answers for its host
  --jwks-url URL         JWKS of the real issuer, beside --token-command; of the hard-coded one, beside --issuer
  --clock-url URL        a hook of an origin by URL that moves its clock (see "time" in the README)
  --openapi FILE|URL     OpenAPI document of the origin: the guard of every operation is tested
  --writes               sends valid tokens with methods that change something, on those operations
  --api-key KEY          API key of a caller, which the origin must not take

What the origin declares (a flag wins over the profile)
  --profile GATEWAY      how the gateway signs: zuplo (default), pomerium, google-iap, cloudflare-access, aws-alb,
                         generic
  --profile-file FILE    a JSON file with the profile of the origin
  --alg LIST             algorithms, such as RS256,ES256
  --issuer URL           iss that it expects, if it is not the issuer of the run
  --audience TEXT        aud that it expects
  --typ TEXT             typ that it insists on
  --leeway SECONDS       clock skew that it tolerates
  --marker TEXT          text that only an accepted answer contains
  --identity-echo PTR    JSON pointer to the subject in an accepted answer, such as /sub
  --header NAME          header that carries the token (default Authorization)
  --scheme TEXT          scheme before the token (default Bearer; "" for none)
  --plain-jwks           serve ordinary keys alone
  --jwks-max-age SEC     age at which it fetches the JWKS again
  --jwks-cooldown SEC    time after a fetch from which an unknown kid causes the next one
  --jwks-timeout MS      time after which it gives a fetch up

Which cases
  --suite NAME           suites, such as claims or origin/claims; may be repeated, or a list with commas
  --case NAME            cases, such as iss-wrong
  --level LEVEL          MUST, SHOULD, MAY or INFO

How
  --behaviour            measures the behaviour profile although only some cases were selected
  --strict               a broken recommendation (SHOULD) fails the run
  --allow-inconclusive   a requirement that could not be established does not fail the run
  --timeout SECONDS      longest wait for one answer (default 5)
  --seed N               repeats the random values of a run
  --json FILE            writes the report as JSON
  --verbose              lists every case
`,
  list: `trustspec list [--suite NAME] [--json]: lists the cases with their level and what they need
`,
  explain: `trustspec explain CASE: says what a case requires, by which clause, why, how to meet it, and what it needs

CASE is an id such as origin/claims/iss-wrong, claims/iss-wrong or iss-wrong.
`,
  compare: `trustspec compare BEFORE.json AFTER.json: says what changed between two reports of "run --json"

Exit code 1 when a case that passed no longer does, else 0.
`,
  issuer: `trustspec issuer [--port N] [--audience TEXT] [--alg NAME]: runs the issuer alone until Ctrl-C

Prints the issuer, the JWKS URL and a token that is valid for five minutes, then a line for every fetch.
`,
}
