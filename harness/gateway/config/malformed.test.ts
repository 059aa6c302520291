import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { loadProject } from './project.ts'
import { complaintOf, goodProject, policy, writeProject } from './projects.testing.ts'
import type { ProjectFiles } from './projects.testing.ts'

type Break = (files: ProjectFiles) => unknown

const ROUTES = 'config/routes.oas.json'
const POLICIES = 'config/policies.json'
const INIT = 'modules/zuplo.runtime.ts'

const pathsOf = (files: ProjectFiles) => files[ROUTES].paths
const getOf = (files: ProjectFiles) => pathsOf(files)['/orders'].get
const routeOf = (files: ProjectFiles) => getOf(files)['x-zuplo-route']
const rewriteOf = (files: ProjectFiles) => pathsOf(files)['/orders/{id}'].get['x-zuplo-route'].handler.options
const policiesOf = (files: ProjectFiles) => files[POLICIES].policies
const corsOf = (files: ProjectFiles) => files[POLICIES].corsPolicies[0]
const rename = (from: string, to: string) => (files: ProjectFiles) => {
  pathsOf(files)[to] = pathsOf(files)[from]
  delete pathsOf(files)[from]
}

/** What is broken, how, and the sentence that it is answered with. */
const MALFORMED: readonly (readonly [what: string, change: Break, sentence: string])[] = [
  // Files
  [
    'no config',
    (f) => (delete f[ROUTES], delete f[POLICIES]),
    'The project has no routes (file config); instead: a folder with config/routes.oas.json.',
  ],
  [
    'no routes file',
    (f) => delete f[ROUTES],
    'The project has no routes (file config); instead: a folder with config/routes.oas.json.',
  ],
  [
    'no policies.json',
    (f) => delete f[POLICIES],
    'A file of the project is missing (file config/policies.json); instead: the file config/policies.json.',
  ],
  [
    'routes not JSON',
    (f) => (f[ROUTES] = '{\n  "openapi": "3.1.0",\n  "paths": {\n    "/orders": x\n  }\n}'),
    'The file is not JSON (file config/routes.oas.json, line 4, reason a value expected before x); instead: JSON without comments or trailing commas.',
  ],
  [
    'policies cut off',
    (f) => (f[POLICIES] = '{\n  "policies": ['),
    'The file is not JSON (file config/policies.json, line 2, reason a value expected, but the file ends); instead: JSON without comments or trailing commas.',
  ],
  [
    'a comment in JSON',
    (f) => (f[POLICIES] = '{\n  // mine\n  "policies": [] }'),
    'The file is not JSON (file config/policies.json, line 2, reason a name in double quotes expected before /); instead: JSON without comments or trailing commas.',
  ],
  [
    'a trailing comma in JSON',
    (f) => (f[POLICIES] = '{\n  "policies": [],\n}'),
    'The file is not JSON (file config/policies.json, line 3, reason a value expected before }); instead: JSON without comments or trailing commas.',
  ],
  [
    'a path twice in one file',
    (f) => (f[ROUTES] = '{\n"paths": {\n"/a": {},\n"/a": {}\n} }'),
    'A name stands twice in one object (file config/routes.oas.json, line 4, given /a); instead: one of them.',
  ],
  [
    'zuplo.jsonc not JSON',
    (f) => (f['zuplo.jsonc'] = '{ // mine\n  version: 1 }'),
    'The file is not JSON (file zuplo.jsonc, line 2, reason a name in double quotes expected before v); instead: JSON, with comments where you like.',
  ],
  // Project settings
  [
    'another version',
    (f) => (f['zuplo.jsonc'] = { version: 2 }),
    'The version of the project is not known (file zuplo.jsonc, at /version, given 2); instead: 1.',
  ],
  [
    'unknown setting',
    (f) => (f['zuplo.jsonc'] = { allowDuplicateRoute: true }),
    'There is no such member (file zuplo.jsonc, at /allowDuplicateRoute, given allowDuplicateRoute); instead: allowDuplicateRoutes.',
  ],
  [
    'unknown project type',
    (f) => (f['zuplo.jsonc'] = { projectType: 'managed-egde' }),
    'There is no such type of project (file zuplo.jsonc, at /projectType, given managed-egde); instead: managed-edge.',
  ],
  [
    'no date',
    (f) => (f['zuplo.jsonc'] = { compatibilityDate: 'today' }),
    'This has to be a date (file zuplo.jsonc, at /compatibilityDate, given today); instead: 2026-03-01.',
  ],
  [
    'no flag',
    (f) => (f['zuplo.jsonc'] = { allowDuplicateRoutes: 'yes' }),
    'This has to be true or false (file zuplo.jsonc, at /allowDuplicateRoutes, given a text); instead: false.',
  ],
  [
    'the Host of the caller',
    (f) => (f['zuplo.jsonc'] = { allowHostHeaderOverride: true }),
    'The Host of the caller never goes to an origin (file zuplo.jsonc, at /allowHostHeaderOverride, given true); instead: false.',
  ],
  // Paths
  [
    'Swagger 2',
    (f) => (f[ROUTES].openapi = '2.0'),
    'The document is not OpenAPI 3 (file config/routes.oas.json, at /openapi, given 2.0); instead: 3.1.0.',
  ],
  [
    'no version of OpenAPI',
    (f) => delete f[ROUTES].openapi,
    'The document is not OpenAPI 3 (file config/routes.oas.json, at /openapi, given nothing); instead: 3.1.0.',
  ],
  [
    'a version of OpenAPI as a number',
    (f) => (f[ROUTES].openapi = 3.1),
    'The document is not OpenAPI 3 (file config/routes.oas.json, at /openapi, given a number); instead: 3.1.0.',
  ],
  [
    'no paths',
    (f) => (f[ROUTES].paths = {}),
    'The project has no routes (file config/routes.oas.json, at /paths); instead: at least one path.',
  ],
  [
    'a path without a slash',
    rename('/orders', 'orders'),
    'A path begins with a slash (file config/routes.oas.json, at /paths/orders, given orders); instead: /orders.',
  ],
  [
    'a reserved path',
    rename('/orders', '/__zuplo/orders'),
    'The path is reserved for the gateway (file config/routes.oas.json, at /paths/~1__zuplo~1orders, given /__zuplo/orders); instead: a path that does not begin with /__zuplo.',
  ],
  [
    'a parameter twice',
    rename('/orders/{id}', '/orders/{id}/items/{id}'),
    'A path parameter stands twice (file config/routes.oas.json, at /paths/~1orders~1{id}~1items~1{id}, given {id}); instead: names of their own.',
  ],
  [
    'a brace alone',
    rename('/orders/{id}', '/orders/{id'),
    'The braces of the path are not in pairs (file config/routes.oas.json, at /paths/~1orders~1{id, given /orders/{id); instead: parameters such as /orders/{id}.',
  ],
  [
    'parameters side by side',
    rename('/orders/{id}', '/orders/{id}{item}'),
    'Nothing stands between two path parameters (file config/routes.oas.json, at /paths/~1orders~1{id}{item}, given /orders/{id}{item}); instead: a character in between.',
  ],
  [
    'a path with a query',
    rename('/orders', '/orders?all=1'),
    'No request can have this path (file config/routes.oas.json, at /paths/~1orders?all=1, given /orders?all=1); instead: a path without query, dot segments and empty segments, percent-encoded.',
  ],
  [
    'unknown path mode',
    (f) => (pathsOf(f)['/orders']['x-zuplo-path'] = { pathMode: 'url_pattern' }),
    'There is no such path mode (file config/routes.oas.json, at /paths/~1orders/x-zuplo-path/pathMode, given url_pattern); instead: open-api or url-pattern.',
  ],
  [
    'no URL pattern',
    (f) => (rename('/orders', '/orders/(')(f), (pathsOf(f)['/orders/(']['x-zuplo-path'] = { pathMode: 'url-pattern' })),
    'The path is no URL pattern (file config/routes.oas.json, at /paths/~1orders~1(, given /orders/(); instead: a pathname such as /files/* or /orders/:id.',
  ],
  [
    'a method misspelt',
    (f) => (pathsOf(f)['/orders'].gett = getOf(f)),
    'There is no such member (file config/routes.oas.json, at /paths/~1orders/gett, given gett); instead: get.',
  ],
  [
    'a path by reference',
    (f) => (pathsOf(f)['/orders'] = { $ref: '#/components/x' }),
    'A path of a project is no reference (file config/routes.oas.json, at /paths/~1orders/$ref); instead: the operations themselves.',
  ],
  [
    'the same route twice',
    (f) => (f['config/more.oas.json'] = { openapi: '3.1.0', paths: { '/orders/{order}': pathsOf(f)['/orders'] } }),
    'Two routes have the same method and path (file config/routes.oas.json, at /paths/~1orders~1{id}/get, first config/more.oas.json /paths/~1orders~1{order}/get); instead: "allowDuplicateRoutes": true in zuplo.jsonc, if the first one is meant to win.',
  ],
  [
    'an extension elsewhere',
    (f) => (pathsOf(f)['/orders']['x-zuplo-route'] = {}),
    'There is no such extension here (file config/routes.oas.json, at /paths/~1orders/x-zuplo-route, given x-zuplo-route); instead: x-zuplo-path.',
  ],
  [
    'an extension misspelt',
    (f) => (getOf(f)['x-zuplo-routes'] = {}),
    'There is no such extension here (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-routes, given x-zuplo-routes); instead: x-zuplo-route.',
  ],
  // Routes
  [
    'an operation without a route',
    (f) => delete getOf(f)['x-zuplo-route'],
    'The operation has no x-zuplo-route (file config/routes.oas.json, at /paths/~1orders/get); instead: one with "handler" and "policies", or trustspec gateway --openapi for a plain document.',
  ],
  [
    'unknown member of a route',
    (f) => (routeOf(f).polices = {}),
    'There is no such member (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/polices, given polices); instead: policies.',
  ],
  [
    'unknown policy name',
    (f) => (routeOf(f).policies.inbound = ['key', 'tokne']),
    'There is no policy of that name (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/policies/inbound/1, given tokne); instead: token.',
  ],
  [
    'a name that no terminal should print',
    (f) => (routeOf(f).policies.inbound = [`\u001b[2J\u009b${'x'.repeat(5_000)}`]),
    `There is no policy of that name (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/policies/inbound/0, given \\u001b[2J\\u009b${'x'.repeat(245)}…); instead: key.`,
  ],
  [
    'policies in one text',
    (f) => (routeOf(f).policies.inbound = 'key'),
    'This has to be a list of names (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/policies/inbound, given a text); instead: ["name"].',
  ],
  [
    'an outbound policy',
    (f) => (routeOf(f).policies.outbound = ['key']),
    'There is no such outbound policy (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/policies/outbound/0, given key); instead: no outbound policies: this gateway has none.',
  ],
  [
    'unknown CORS policy',
    (f) => (routeOf(f).corsPolicy = 'app'),
    'There is no CORS policy of that name (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/corsPolicy, given app); instead: apps.',
  ],
  // Handlers
  [
    'no handler',
    (f) => delete routeOf(f).handler,
    'The route has no handler (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/handler); instead: "handler": { "export": "urlForwardHandler", "module": "$import(@zuplo/runtime)", "options": { … } }.',
  ],
  [
    'unknown handler',
    (f) => (routeOf(f).handler.export = 'urlForwardHandeler'),
    'There is no such handler (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/handler/export, given urlForwardHandeler); instead: urlForwardHandler or urlRewriteHandler.',
  ],
  [
    'a handler that is not here',
    (f) => (routeOf(f).handler.export = 'openApiSpecHandler'),
    'There is no such handler (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/handler/export, given openApiSpecHandler); instead: urlForwardHandler or urlRewriteHandler.',
  ],
  [
    'a handler of another module',
    (f) => (routeOf(f).handler.module = '$import(./modules/own)'),
    'A handler is one of the gateway itself (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/handler/module, given $import(./modules/own)); instead: $import(@zuplo/runtime).',
  ],
  [
    'unknown handler option',
    (f) => (routeOf(f).handler.options.forwardsearch = true),
    'There is no such member (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/handler/options/forwardsearch, given forwardsearch); instead: forwardSearch.',
  ],
  [
    'an option of the other handler',
    (f) => (routeOf(f).handler.options.rewritePattern = 'https://a.example.com'),
    'There is no such member (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/handler/options/rewritePattern, given rewritePattern); instead: baseUrl.',
  ],
  [
    'no base',
    (f) => (routeOf(f).handler.options = {}),
    'This has to be a text (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/handler/options/baseUrl, given nothing); instead: https://origin.example.com, or ${env.ORIGIN_URL}.',
  ],
  [
    'a base without a scheme',
    (f) => (routeOf(f).handler.options.baseUrl = 'origin.example.com'),
    'This is no absolute http or https URL (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/handler/options/baseUrl, given origin.example.com); instead: https://origin.example.com, or ${env.ORIGIN_URL}.',
  ],
  [
    'a base of another scheme',
    (f) => (routeOf(f).handler.options.baseUrl = 'ftp://origin.example.com'),
    'This is no absolute http or https URL (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/handler/options/baseUrl, given ftp://origin.example.com); instead: https://origin.example.com, or ${env.ORIGIN_URL}.',
  ],
  [
    'a base with credentials',
    (f) => (routeOf(f).handler.options.baseUrl = 'https://me:secret@origin.example.com'),
    'The URL holds credentials (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/handler/options/baseUrl); instead: the policy set-upstream-api-key-inbound.',
  ],
  [
    'a base with a query',
    (f) => (routeOf(f).handler.options.baseUrl = 'https://origin.example.com/?a=1'),
    'The base has a query (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/handler/options/baseUrl, given https://origin.example.com/?a=1); instead: urlRewriteHandler, or the base without it.',
  ],
  [
    'a base with dots',
    (f) => (routeOf(f).handler.options.baseUrl = 'https://origin.example.com/a/../b'),
    'The path can be read in two ways (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/handler/options/baseUrl, given https://origin.example.com/a/../b); instead: a path without empty segments and dots.',
  ],
  [
    'unset variable in a handler',
    (f) => (routeOf(f).handler.options.baseUrl = '${env.ORIGIN_URI}'),
    'The variable is not set (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/handler/options/baseUrl, variable ORIGIN_URI); instead: set ORIGIN_URI, or use ORIGIN_URL.',
  ],
  [
    'a variable that holds no URL',
    (f) => (f['.env'] = 'ORIGIN_URL=secret-of-somebody'),
    'This is no absolute http or https URL (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/handler/options/baseUrl, given ${env.ORIGIN_URL}); instead: https://origin.example.com, or ${env.ORIGIN_URL}.',
  ],
  [
    'no flag in a handler',
    (f) => (rewriteOf(f).followRedirects = 'no'),
    'This has to be true or false (file config/routes.oas.json, at /paths/~1orders~1{id}/get/x-zuplo-route/handler/options/followRedirects, given a text); instead: false.',
  ],
  [
    'the host by a parameter',
    (f) => (rewriteOf(f).rewritePattern = 'https://${params.id}.example.com/'),
    'A request cannot choose the host of an origin (file config/routes.oas.json, at /paths/~1orders~1{id}/get/x-zuplo-route/handler/options/rewritePattern, given https://${params.id}.example.com/); instead: a host that is written out, or one route for each host.',
  ],
  [
    'a part of the host by a parameter',
    (f) => (rewriteOf(f).rewritePattern = 'https://api-${params.id}.example.com/'),
    'A request cannot choose the host of an origin (file config/routes.oas.json, at /paths/~1orders~1{id}/get/x-zuplo-route/handler/options/rewritePattern, given https://api-${params.id}.example.com/); instead: a host that is written out, or one route for each host.',
  ],
  [
    'the port by a parameter',
    (f) => (rewriteOf(f).rewritePattern = 'https://origin.example.com:${params.id}/'),
    'A request cannot choose the host of an origin (file config/routes.oas.json, at /paths/~1orders~1{id}/get/x-zuplo-route/handler/options/rewritePattern, given https://origin.example.com:${params.id}/); instead: a host that is written out, or one route for each host.',
  ],
  [
    'a pattern with a fragment',
    (f) => (rewriteOf(f).rewritePattern += '#${params.id}'),
    'The URL has a fragment (file config/routes.oas.json, at /paths/~1orders~1{id}/get/x-zuplo-route/handler/options/rewritePattern, given https://origin.example.com/v2/${params.id}#${params.id}); instead: the URL without it.',
  ],
  [
    'unknown template value',
    (f) => (rewriteOf(f).rewritePattern += '/${parms.id}'),
    'There is no such value in a template (file config/routes.oas.json, at /paths/~1orders~1{id}/get/x-zuplo-route/handler/options/rewritePattern, given ${parms.id}); instead: ${params.id}.',
  ],
  [
    'unknown path parameter',
    (f) => (rewriteOf(f).rewritePattern += '/${params.order}'),
    'There is no such value in a template (file config/routes.oas.json, at /paths/~1orders~1{id}/get/x-zuplo-route/handler/options/rewritePattern, given ${params.order}); instead: ${params.id}.',
  ],
  [
    'a parameter without a value',
    (f) => (rewriteOf(f).rewritePattern += '/{id}'),
    'The URL has braces without a value (file config/routes.oas.json, at /paths/~1orders~1{id}/get/x-zuplo-route/handler/options/rewritePattern, given https://origin.example.com/v2/${params.id}/{id}); instead: ${params.name}.',
  ],
  [
    'an expression',
    (f) => (rewriteOf(f).rewritePattern += '/${params.id + 1}'),
    'The template cannot be read (file config/routes.oas.json, at /paths/~1orders~1{id}/get/x-zuplo-route/handler/options/rewritePattern, given ${params.id + 1}); instead: ${params.name}, one value each.',
  ],
  [
    'a template without an end',
    (f) => (rewriteOf(f).rewritePattern += '/${params.id'),
    'The template cannot be read (file config/routes.oas.json, at /paths/~1orders~1{id}/get/x-zuplo-route/handler/options/rewritePattern, given ${params.id); instead: ${params.name}, one value each.',
  ],
  [
    'a query in mid-path',
    (f) => (rewriteOf(f).rewritePattern += '${search}/more'),
    'The query of the request stands at the end (file config/routes.oas.json, at /paths/~1orders~1{id}/get/x-zuplo-route/handler/options/rewritePattern, given https://origin.example.com/v2/${params.id}${search}/more); instead: ${search} at the end.',
  ],
  [
    'a space in a pattern',
    (f) => (rewriteOf(f).rewritePattern += '/a b'),
    'The URL holds what no URL can (file config/routes.oas.json, at /paths/~1orders~1{id}/get/x-zuplo-route/handler/options/rewritePattern, given https://origin.example.com/v2/${params.id}/a b); instead: the same, percent-encoded.',
  ],
  // Policies
  [
    'unknown policy type',
    (f) => (policiesOf(f)[0].policyType = 'api-key-inbuond'),
    'There is no such policy (file config/policies.json, at /policies/0/policyType, given api-key-inbuond); instead: api-key-inbound.',
  ],
  [
    'an export of another policy',
    (f) => (policiesOf(f)[0].handler.export = 'BasicAuthInboundPolicy'),
    'The export does not belong to the policyType (file config/policies.json, at /policies/0/handler/export, given BasicAuthInboundPolicy); instead: ApiKeyInboundPolicy.',
  ],
  [
    'a policy of another module',
    (f) => (policiesOf(f)[0].handler.module = './modules/own'),
    'The module of this policy is the gateway itself (file config/policies.json, at /policies/0/handler/module, given ./modules/own); instead: $import(@zuplo/runtime).',
  ],
  [
    'unknown option',
    (f) => (policiesOf(f)[0].handler.options.cacheTtlSecond = 5),
    'There is no such option (file config/policies.json, at /policies/0/handler/options/cacheTtlSecond, given cacheTtlSecond); instead: cacheTtlSeconds.',
  ],
  [
    'a wrong option',
    (f) => (policiesOf(f)[0].handler.options.cacheTtlSeconds = '5'),
    'The option is wrong (file config/policies.json, at /policies/0/handler/options/cacheTtlSeconds, given a text); instead: a whole number from 0.',
  ],
  [
    'a scheme in two words',
    (f) => (policiesOf(f)[0].handler.options.authScheme = 'My Key'),
    'The option is wrong (file config/policies.json, at /policies/0/handler/options/authScheme, given a text); instead: a scheme such as "Bearer", or "" for none.',
  ],
  [
    'a parameter that would frame the message',
    (f) =>
      policiesOf(f).push(
        policy('query', 'query-param-to-header-inbound', 'QueryParamToHeaderInboundPolicy', {
          queryParam: 'key',
          headerName: 'Transfer-Encoding',
          headerValue: '{value}',
        }),
      ),
    'The option is wrong (file config/policies.json, at /policies/4/handler/options/headerName, given a text); instead: the name of a header that belongs to the request, not to the connection.',
  ],
  [
    'a missing option',
    (f) => delete policiesOf(f)[1].handler.options.requestsAllowed,
    'An option is missing (file config/policies.json, at /policies/1/handler/options, option requestsAllowed); instead: "requestsAllowed": a whole number from 1.',
  ],
  [
    'a policy name twice',
    (f) => (policiesOf(f)[1].name = 'key'),
    'Two policies have the same name (file config/policies.json, at /policies/1/name, given key); instead: a name of its own.',
  ],
  [
    'a policy without a name',
    (f) => delete policiesOf(f)[0].name,
    'This has to be a text (file config/policies.json, at /policies/0/name, given nothing); instead: the name by which routes use it.',
  ],
  [
    'unset variable in a policy',
    (f) => (policiesOf(f)[2].handler.options.audience = '$env(AUDIENCE)'),
    'The variable is not set (file config/policies.json, at /policies/2/handler/options/audience, variable AUDIENCE); instead: set AUDIENCE in the environment or in the file .env.',
  ],
  [
    'a variable of handlers in a policy',
    (f) => (policiesOf(f)[2].handler.options.audience = '${env.AUDIENCE}'),
    'Variables are written otherwise in policies (file config/policies.json, at /policies/2/handler/options/audience, given ${env.AUDIENCE}); instead: $env(AUDIENCE).',
  ],
  [
    'a variable without an end',
    (f) => (policiesOf(f)[2].handler.options.audience = '$env(AUDIENCE'),
    'The variable has no end (file config/policies.json, at /policies/2/handler/options/audience, given $env(AUDIENCE); instead: $env(NAME).',
  ],
  [
    'policies that are no list',
    (f) => (f[POLICIES].policies = {}),
    'This has to be a list (file config/policies.json, at /policies, given an object); instead: a list.',
  ],
  [
    'unknown member of policies.json',
    (f) => (f[POLICIES].corsPolicy = []),
    'There is no such member (file config/policies.json, at /corsPolicy, given corsPolicy); instead: corsPolicies.',
  ],
  // CORS
  [
    'unknown member of a CORS policy',
    (f) => (corsOf(f).allowedOrigin = []),
    'There is no such member (file config/policies.json, at /corsPolicies/0/allowedOrigin, given allowedOrigin); instead: allowedOrigins.',
  ],
  [
    'an origin with a slash',
    (f) => (corsOf(f).allowedOrigins = ['https://app.example.com/']),
    'This cannot stand here (file config/policies.json, at /corsPolicies/0/allowedOrigins, given https://app.example.com/); instead: https://app.example.com, https://*.example.com or *.',
  ],
  [
    'a star in mid-label',
    (f) => (corsOf(f).allowedOrigins = 'https://app*.example.com'),
    'This cannot stand here (file config/policies.json, at /corsPolicies/0/allowedOrigins, given https://app*.example.com); instead: https://app.example.com, https://*.example.com or *.',
  ],
  [
    'no origins',
    (f) => delete corsOf(f).allowedOrigins,
    'A CORS policy allows some origin (file config/policies.json, at /corsPolicies/0/allowedOrigins, given nothing); instead: ["https://app.example.com"].',
  ],
  [
    'credentials for everybody',
    (f) => Object.assign(corsOf(f), { allowedOrigins: '*', allowCredentials: true }),
    'Credentials are never for every origin (file config/policies.json, at /corsPolicies/0/allowCredentials, given true beside the origin *); instead: the origins by name.',
  ],
  [
    'a name of a built-in CORS policy',
    (f) => (corsOf(f).name = 'none'),
    'Two policies have the same name (file config/policies.json, at /corsPolicies/0/name, given none); instead: a name of its own.',
  ],
  [
    'a header name that is none',
    (f) => (corsOf(f).allowedHeaders = 'X A'),
    'This cannot stand here (file config/policies.json, at /corsPolicies/0/allowedHeaders, given X A); instead: a header name such as "X-Api-Key".',
  ],
  // Modules
  [
    'no JWT service',
    (f) => delete f[INIT],
    'The policy needs the JWT service (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/policies/inbound/2, policy token); instead: runtime.addPlugin(new JwtServicePlugin()) in modules/zuplo.runtime.ts.',
  ],
  [
    'a module that is not there',
    (f) => (policiesOf(f)[3].handler.module = '$import(./modules/onw)'),
    'There is no such module (file config/policies.json, at /policies/3/handler/module, given ./modules/onw); instead: a file such as ./modules/my-policy.ts.',
  ],
  [
    'a module outside',
    (f) => (policiesOf(f)[3].handler.module = '$import(../own)'),
    'There is no such module (file config/policies.json, at /policies/3/handler/module, given ../own); instead: a file such as ./modules/my-policy.ts.',
  ],
  [
    'custom code of the gateway',
    (f) => (policiesOf(f)[3].handler.module = '$import(@zuplo/runtime)'),
    'Custom code is a module of the project (file config/policies.json, at /policies/3/handler/module, given $import(@zuplo/runtime)); instead: $import(./modules/my-policy).',
  ],
  [
    'an export that is not there',
    (f) => (policiesOf(f)[3].handler.export = 'callerof'),
    'The module does not export this function (file config/policies.json, at /policies/3/handler/export, module ./modules/own, given callerof); instead: callerOf.',
  ],
  [
    'an identifier that is not there',
    (f) => (policiesOf(f)[1].handler.options.identifier.export = 'caller'),
    'The module does not export this function (file config/policies.json, at /policies/1/handler/options/identifier/export, module ./modules/own, given caller); instead: callerOf.',
  ],
  [
    'an identifier without $import',
    (f) => (policiesOf(f)[1].handler.options.identifier.module = './modules/own'),
    'The module of a function is one of the project (file config/policies.json, at /policies/1/handler/options/identifier/module, given ./modules/own); instead: $import(./modules/my-module).',
  ],
  [
    'an identifier of the gateway',
    (f) => (policiesOf(f)[1].handler.options.identifier.module = '$import(@zuplo/runtime)'),
    'There is no such module (file config/policies.json, at /policies/1/handler/options/identifier/module, given @zuplo/runtime); instead: a file such as ./modules/my-policy.ts.',
  ],
  [
    'a module that throws',
    (f) => (f['modules/own.ts'] = 'throw new Error("The table is missing")'),
    'The module does not load (file config/policies.json, at /policies/1/handler/options/identifier/module, module ./modules/own, reason The table is missing); instead: a module without this error.',
  ],
  [
    'a module that is no TypeScript',
    (f) => (f['modules/own.ts'] = 'export default ('),
    'The module does not load (file config/policies.json, at /policies/1/handler/options/identifier/module, module ./modules/own, reason Expression expected); instead: a module without this error.',
  ],
  [
    'a module that Node cannot strip',
    (f) => (f['modules/own.ts'] = 'enum A { B }\nexport default A'),
    'The module does not load (file config/policies.json, at /policies/1/handler/options/identifier/module, module ./modules/own, reason TypeScript enum is not supported in strip-only mode); instead: a module without this error.',
  ],
  [
    'a name that the runtime has not',
    (f) => (f['modules/own.ts'] = "import { ZoneCach } from '@zuplo/runtime'\nexport default ZoneCach"),
    'There is no such name in @zuplo/runtime (file config/policies.json, at /policies/1/handler/options/identifier/module, module ./modules/own, given ZoneCach); instead: one of ComplexRateLimitInboundPolicy, ConfigurationError, HttpProblems, HttpStatusCode, JwtServicePlugin, QuotaInboundPolicy, RuntimeError, ZuploRequest, environment, CustomRateLimitDetails, InboundPolicyHandler, JwtServicePluginOptions, Logger, ProblemDetails, RuntimeExtensions, ZuploContext, ZuploRequestInit.',
  ],
  [
    'a type imported as a value',
    (f) =>
      Object.assign(f, {
        'modules/own.ts': "import { Plan } from './plans'\nexport default (plan: Plan) => plan",
        'modules/plans.ts': 'export type Plan = string',
      }),
    "The module does not load (file config/policies.json, at /policies/1/handler/options/identifier/module, module ./modules/own, reason The requested module './plans' does not provide an export named 'Plan'); instead: import type { Plan }, if it is a type.",
  ],
  [
    'no runtimeInit',
    (f) => (f[INIT] = 'export const init = 1'),
    'The module does not export runtimeInit (file modules/zuplo.runtime.ts); instead: export function runtimeInit(runtime) { … }.',
  ],
  [
    'another plugin',
    (f) => (f[INIT] = 'class Other {}\nexport const runtimeInit = (runtime) => runtime.addPlugin(new Other())'),
    'runtimeInit cannot be run (file modules/zuplo.runtime.ts, reason The gateway has no plugin Other; it has JwtServicePlugin); instead: one without this.',
  ],
  [
    'a plugin twice',
    (f) =>
      (f[INIT] = f[INIT].replace(
        'runtime.addPlugin(',
        'runtime.addPlugin(new JwtServicePlugin()); runtime.addPlugin(',
      )),
    'runtimeInit cannot be run (file modules/zuplo.runtime.ts, reason JwtServicePlugin is registered twice); instead: one without this.',
  ],
  [
    'a hook',
    (f) => (f[INIT] = 'export const runtimeInit = (runtime) => runtime.addRequestHook(() => 1)'),
    'runtimeInit cannot be run (file modules/zuplo.runtime.ts, reason The gateway has no runtime.addRequestHook; it has runtime.addPlugin); instead: one without this.',
  ],
  [
    'a handler of the runtime',
    (f) => (f[INIT] = 'export const runtimeInit = (runtime) => { runtime.notFoundHandler = () => 1 }'),
    'runtimeInit cannot be run (file modules/zuplo.runtime.ts, reason The gateway has no runtime.notFoundHandler; it has runtime.addPlugin); instead: one without this.',
  ],
  [
    'unknown option of the plugin',
    (f) => (f[INIT] = f[INIT].replace('Plugin()', 'Plugin({ expiresIn: 5 })')),
    'runtimeInit cannot be run (file modules/zuplo.runtime.ts, reason JwtServicePlugin has no option expiresIn; it has tokenExpiration); instead: one without this.',
  ],
  [
    'unknown algorithm',
    (f) => (f[INIT] = f[INIT].replace('Plugin()', "Plugin({ algorithm: 'HS256' })")),
    'runtimeInit cannot be run (file modules/zuplo.runtime.ts, reason algorithm of JwtServicePlugin is EdDSA, RS256, PS256, ES256); instead: one without this.',
  ],
  [
    'no duration',
    (f) => (f[INIT] = f[INIT].replace('Plugin()', "Plugin({ tokenExpiration: '5 fortnights' })")),
    'runtimeInit cannot be run (file modules/zuplo.runtime.ts, reason tokenExpiration of JwtServicePlugin is seconds as a number, or a text such as 5 minutes); instead: one without this.',
  ],
  [
    'no base path',
    (f) => (f[INIT] = f[INIT].replace('Plugin()', "Plugin({ basePath: '/issuer/' })")),
    'runtimeInit cannot be run (file modules/zuplo.runtime.ts, reason basePath of JwtServicePlugin is a path such as /__zuplo/issuer, without a slash at its end); instead: one without this.',
  ],
]

test('the project that all of these are made of starts', async () => {
  await using project = await writeProject(goodProject())
  const { routes } = await loadProject(project.folder, {})
  expect(routes.map(({ where }) => where)).toEqual(['GET /orders', 'GET /orders/{id}'])
})

test.each(MALFORMED)('%s', async (_, change, due) => {
  const files = goodProject()
  change(files)
  await using project = await writeProject(files)
  expect(await complaintOf(loadProject(project.folder, {}))).toBe(`ERR_GATEWAY_PROJECT: ${due}`)
})

test('the command prints the sentence, and nothing else, and ends with 2', async () => {
  const files = goodProject()
  pathsOf(files)['/orders'].get['x-zuplo-route'].policies.inbound = ['tokne']
  await using project = await writeProject(files)
  const command = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
  const child = spawn(process.execPath, [command, 'gateway', '--memory', '--project', project.folder])
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  expect([code, output, errors]).toEqual([
    2,
    '',
    'ERR_GATEWAY_PROJECT: There is no policy of that name (file config/routes.oas.json, at /paths/~1orders/get/x-zuplo-route/policies/inbound/0, given tokne); instead: token.\n',
  ])
})
