/** Texts of --help, by command; the empty name is that of the program. */
export const HELP: Readonly<Record<string, string>> = {
  '': `trustspec: conformance of the hop between an API gateway and its origin

Usage
  trustspec run [URL] [flags]     tests an origin, a gateway or both; without a target, the embedded ones
  trustspec list [--as KIND]      lists the cases
  trustspec explain CASE          says what a case requires, why, and how to meet it
  trustspec compare A.json B.json says what changed between two runs, verdicts and behaviour
  trustspec baseline ACTION FILE  writes down the known findings of a run, or strikes those that no longer show
  trustspec matrix R1.json …      shows the reports of many implementations side by side
  trustspec issuer [--port N]     runs the issuer alone: JWKS, discovery and a journal of fetches
  trustspec gateway [flags]       runs the reference gateway in front of an origin
  trustspec keys ACTION [flags]   makes and revokes the API keys of that gateway
  trustspec tutorial [flags]      takes you through the published tutorial, on this machine
  trustspec verify FILE [flags]   checks signed evidence of a run
  trustspec init [flags]          writes a configuration and a CI workflow into this folder
  trustspec COMMAND --help        says more about a command
  trustspec --version

In a checkout: npm run conformance -- [URL] [flags], npm run tutorial, npm run trustspec -- COMMAND

Exit codes
  0  every requirement that applied was met, or is an accepted finding
  1  a requirement is broken or could not be established, or an accepted finding no longer shows or has expired
  2  usage, configuration, target unreachable, nothing selected
  3  the harness itself failed
`,
  run: `trustspec run [URL] [flags]: tests an origin, a gateway, or a gateway with its origin

What is tested (without any of these: the embedded origin, the embedded gateway and the chain of both, one by one)
  --as KIND              origin (default), gateway or chain: what is at the URL; without a URL, the embedded one
  URL                    the URL of a protected route, such as http://localhost:8888/protected
  --config FILE          a configuration; trustspec.config.ts, .js, .json or .yaml in this folder is found by itself
  --origin NAME          a bundled origin, started as a process (see "origins" in the README)
  --docker               under --origin: the bundled origin as a container
  --image NAME           an image, started as a container; pulled where it is not there
  --compose FILE --service NAME
                         a service of a compose file, started with what it depends on
  --container-port N     port that it listens on, where the image or the file names none or several
  --exec COMMAND         a command that starts an origin; {port} {issuer} {jwks_url} {audience} are filled in
  --env NAME=VALUE       a variable of that command or container, with the same placeholders; may be repeated
  --path PATH            path of its protected route (default /)
  --no-virtual-time      starts it without libfaketime
  --gateway NAME         a bundled gateway that is not ours (see "gateways" in the README)
  --i-am-authorised      permits a target with a public address

An origin under test: how much can be proven (the ladder: each rung unlocks cases)
  (a URL alone)          what must be refused
  --token TOKEN          a valid token of the origin's own issuer; better --token-command, which no one can see
  --token-command CMD    a command that prints one; asked again when it has expired
  --issuer-port N        the origin trusts the issuer that the run starts on this port
  --issuer-host NAME     beside it: how the origin reaches this machine, if it is another one (listens everywhere)
  (--exec, --origin)     the run starts the origin, and it trusts the run's issuer
  --issuer https://…     under --exec: an issuer that the origin has hard-coded; the run answers for its host
  --jwks-url URL         JWKS of the real issuer, beside --token-command; of the hard-coded one, beside --issuer
  --clock-url URL        a hook of an origin by URL that moves its clock (see "time" in the README)
  --openapi FILE|URL     OpenAPI document of the origin: the guard of every operation is tested
  --writes               sends valid tokens with methods that change something, on those operations
  --api-key KEY          API key of a caller, which the origin must not take

What the origin declares (a flag wins over the profile and the configuration)
  --profile GATEWAY      how the gateway signs: zuplo (default), pomerium, google-iap, cloudflare-access, aws-alb,
                         generic
  --profile-file FILE    a JSON file with the profile of the origin, or the origin.json of a sample
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

A gateway under test (--as gateway; hooks, limits and all else are in a configuration, see docs/config.md)
  --api-key KEY          a key that works; repeat it with a key of another consumer. Better TRUSTSPEC_API_KEY and
                         TRUSTSPEC_API_KEY_2 in the environment, which no one can see
  --api-key-file FILE    such keys, one on each line
  --revoked-key KEY      a key that must not work (or TRUSTSPEC_REVOKED_KEY)
  --expired-key KEY      the same (or TRUSTSPEC_EXPIRED_KEY)
  --disabled-key KEY     the same (or TRUSTSPEC_DISABLED_KEY)
  --key-in PLACE         where keys go: header:X-API-Key, header:Authorization:Bearer (default), query:api_key,
                         cookie:NAME or body:FIELD; the first one is used, others are tried
  --capture-port N       the gateway forwards to the origin that the run plays on this port
  --second-capture-port N  another route of it forwards to a second one, on this port
  --scanner-port N       serves the public keys of a secret scanner on this port
  --jwks-url URL, --issuer URL, --audience TEXT, --alg LIST, --typ TEXT, --header NAME, --scheme TEXT
                         its JWKS, and what its tokens are like
  --marker TEXT          text that only an answer of its origin contains, without --capture-port
  --clock-url URL        a hook that moves its clock

A gateway with its origin (--as chain; the flags of a gateway, and)
  --origin-url URL       the protected route at the origin itself
  --tap-port N           the gateway forwards to this port, which passes on to the origin
  --jwks-proxy-port N    the origin fetches the JWKS at this port

Which cases
  --suite NAME           suites, such as claims or origin/claims; may be repeated, or a list with commas
  --case NAME            cases, such as iss-wrong
  --level LEVEL          MUST, SHOULD, MAY or INFO

What fails the run (exit code 1)
  --fail-on LIST         default: must,inconclusive. Out of: must (every broken requirement), should (those and every
                         broken recommendation), fail-open, fail-crash, fail-closed, fail, warn (single verdicts),
                         inconclusive (a requirement that could not be established), never
  --strict               the same as --fail-on should,inconclusive
  --allow-inconclusive   the same as --fail-on must; with --strict, as --fail-on should
  --baseline FILE        known findings, each with a reason, do not fail the run; a new one does, and so does one that
                         no longer shows or has expired (see docs/gate.md)
  --edition NAME         which requirements count, such as 2026.1 (default); later cases run as upcoming, and never
                         fail the run

How
  --behaviour            measures the behaviour profile although only some cases were selected
  --max-requests N       sends no more than N requests to what is under test, of each subject; what no longer fits is
                         skipped, and a requirement among it counts as one that could not be established
  --time-budget SECONDS  the same for the time of the whole run
  --timeout SECONDS      longest wait for one answer (default 5)
  --seed N               repeats the random values of a run
  --json FILE            writes the report as JSON; of a run without a target, all reports. Short for --report json=FILE
  --report KIND=FILE,…   writes reports for people and other programs, several at once: html, json, junit, sarif,
                         ctrf, markdown, badge; a kind alone has a file of its own, such as trustspec.html
  --source FILE          the file of your repository that findings are shown at (default: the configuration)
  --json FILE            writes the report as JSON; of a run without a target, all reports
  --evidence FILE        writes a signed in-toto statement of what was tested, with which result
  --evidence-key KEY.pem the private key for it, or TRUSTSPEC_EVIDENCE_KEY in the environment, which no file holds;
                         "openssl genpkey -algorithm ed25519" makes one
  --subject ARTEFACT     what was tested, such as ghcr.io/acme/orders@sha256:… or orders@gitCommit:…; may be repeated
  --verbose              lists every case
`,
  list: `trustspec list [--as origin|gateway|chain] [--suite NAME] [--edition NAME] [--json]: lists the cases with their
level and what they need

--edition: with the levels of that edition; cases that are not in it are marked as upcoming.
`,
  explain: `trustspec explain CASE: says what a case requires, by which clause, why, how to meet it, and what it needs

CASE is an id such as origin/claims/iss-wrong, claims/iss-wrong or iss-wrong.
`,
  compare: `trustspec compare BEFORE.json AFTER.json: says what changed between two reports of "run --json",
of one subject or of several

Exit code 1 when a case that passed no longer does, else 0.
`,
  baseline: `trustspec baseline write FILE --report R.json [--reason TEXT]: writes the open findings of a report into a
baseline; entries that are there keep their reason, issue and day of expiry
trustspec baseline prune FILE --report R.json: strikes entries, and stimuli of them, that the report no longer shows

  --report FILE          what "trustspec run --json FILE" wrote
  --reason TEXT          why the new entries are accepted

Both print what they changed. "trustspec run --baseline FILE" then holds a run against it; see docs/gate.md.
`,
  matrix: `trustspec matrix [NAME=]R1.json [NAME=]R2.json … [flags]: shows reports of "run --json" side by side,
cases by rows and implementations by columns

  --html FILE            as a page that needs nothing else
  --markdown FILE        as Markdown, which is printed where neither flag is given

A column has the name of its target, else of its file, unless a NAME is given.
`,
  issuer: `trustspec issuer [--port N] [--audience TEXT] [--alg NAME]: runs the issuer alone until Ctrl-C

Prints the issuer, the JWKS URL and a token that is valid for five minutes, then a line for every fetch.
`,
  gateway: `trustspec gateway [flags]: runs the reference gateway until Ctrl-C

Routes (one of them)
  --project FOLDER           a gateway project: config/routes.oas.json, config/policies.json, modules/
  --openapi FILE|URL         any OpenAPI 3.0 or 3.1 document, with --origin URL; each operation needs an API key
                             unless the document says that it is public

For --openapi
  --origin URL               where requests go
  --audience TEXT            aud of gateway tokens (default: the URL of the origin)
  --alg NAME                 EdDSA (default), RS256, PS256 or ES256
  --requests-per-minute N    limit of each consumer (default 1000; 0: none)
  --failed-keys N            keys that may fail in a minute from one address; then 429 (default: any number)

Where it listens
  --port N                   default 0: a free one
  --host ADDRESS             default 127.0.0.1
  --public-url URL           how callers reach it, if otherwise: the issuer begins so
  --trusted-proxy NETWORK    proxies in front whose X-Forwarded-For is believed; may be repeated
  --management-port N        of the management API and the metrics (default 0: a free one), on 127.0.0.1

What it keeps
  --state FOLDER             keys, quotas and signing keys in files (default .trustspec/gateway)
  --redis URL                in Redis, shared by all instances that name it
  --memory                   nowhere
  --key-prefix TEXT          how API keys begin (default tsk)

Behaviour
  --concurrency N, --queue N requests at the origins at once, and those that wait (1024 each)
  --origin-timeout SECONDS   longest wait for the head of an answer (30)
  --jwks-max-age SECONDS     how long origins may keep the JWKS (300)
  --access-log FILE|-|off    JSON lines; default: standard output
  --alert-keys URL           list of public keys of a secret scanner: turns its alerts on, at --alert-path
                             (default /__zuplo/secret-scanning), for tokens of --alert-type

The credential of the management API is in TRUSTSPEC_MANAGEMENT_KEY, or made and kept in the state folder.
`,
  keys: `trustspec keys ACTION [flags]: API keys of a gateway, running or not

Actions
  create --consumer NAME     makes a key and prints it on standard output, this once; makes the consumer if need be
  import --consumer NAME     takes over the key in TRUSTSPEC_API_KEY
  list [--consumer NAME]     keys without their text
  roll --consumer NAME --expires TIME     a new key; the others end then, or earlier
  revoke | disable | enable --consumer NAME --key ID

Flags
  --bucket NAME              default: default
  --description TEXT, --metadata JSON     of the key; of the consumer, for policies
  --expires TIME             ISO 8601, such as 2027-01-31T00:00:00Z
  --key-prefix TEXT          how a new key begins (default tsk), where no gateway runs
  --state FOLDER | --redis URL | --url URL   the state of the gateway (default .trustspec/gateway), or its
                             management API with the credential in TRUSTSPEC_MANAGEMENT_KEY
`,
  tutorial: `trustspec tutorial [flags]: the published tutorial, step by step, on this machine

A gateway project is made, a gateway and an origin run over it, and each hop of each call is shown. On a terminal it
stops at each step: Enter goes on, q or Ctrl-C ends everything that was started.

  --project FOLDER       where the gateway project is made, for you to edit (default trustspec-tutorial); what is
                         there already is not touched
  --framework NAME       tornado (default), flask, fastapi or express; express needs no Python
  --yes                  does not stop
  --app FILE.py          takes your own copy of the code of the page for the origin, as it is
  --issuer URL           the issuer in that file, where it is not found there (default: its ISSUER)
  --audience TEXT        the audience that it expects (default: its AUDIENCE; otherwise none)
  --docker               runs origins as containers, tornado or your own file
  --write FILE           writes the tutorial as Markdown, from a run of it
  --keep                 leaves everything running at the end, for calls of your own, until Ctrl-C
`,
  verify: `trustspec verify FILE --key PUB.pem [flags]: checks evidence that "run --evidence" wrote, a line for each check

  --key PUB.pem          the public key that has to have signed it; may be repeated, then one of them
  --subject ARTEFACT     what it has to be about: NAME@sha256:HEX, sha256:HEX, NAME@gitCommit:HEX; may be repeated
  --report R.json        the report that it has to be of, as "run --json" wrote it
  --edition NAME         the edition of the requirements that counted
  --max-age DURATION     how long ago the run may have ended: 90m, 24h, 7d
  --require LIST         pass (default: a run of all cases with exit code 0), judged (no requirement was left out), or
                         full ids of cases that passed

Exit code 0 when all of it holds, 1 when something does not, 2 when a file cannot be read.
`,
  init: `trustspec init [flags]: writes trustspec.config.ts and a CI workflow into this folder; asks nothing

  --as KIND              origin (default), gateway or chain
  --url URL              a protected route of what is under test
  --origin-url URL       of a chain: the route at the origin itself
  --exec COMMAND         instead of --url: the command that starts the origin. Without both, a start script of
                         package.json or an app.py in this folder is used
  --path PATH            route of what the command starts (default /)
  --ci NAME              github (default), gitlab or none
  --format NAME          ts (default) or yaml, of the configuration
  --force                overwrites what is there; without it, nothing is written where a file is there
`,
}
