import { connectionOptions } from '../../gateway/clean.ts'
import type { KeyRecord } from '../../gateway/policy.ts'
import { upstreamJwt } from '../../gateway/policies/upstream-zuplo-jwt-auth-inbound.ts'
import { referenceSteps } from '../../gateway/server.ts'
import type { GatewaySteps } from '../../gateway/steps.ts'
import { isWebSocket } from '../../gateway/upgrade.ts'
import type { GatewayFlaw } from '../../targets/embedded-gateway.ts'
import { asFramed, changing, framing } from './fronts.ts'
import type { GatewayMutant } from './mutant.ts'
import { bodyOf, outgoing, pairsOf, plainExchange, remembering, split } from './parts.ts'

const IDENTITY = /^x-consumer-/iu

const steps = (replaced: Partial<GatewaySteps>): GatewayFlaw => ({ options: { steps: replaced } })

/** The lines of the caller whose names fit, as it sent them. */
const linesOf = (name: RegExp) => remembering(({ lines }) => pairsOf(lines).filter(([given]) => name.test(given)))

/** Reads the path of another route out of a header of the caller. */
const elsewhere = () => remembering((headers) => headers.get('x-original-url'))

/** Decodes what is percent-encoded; as it is where that is wrong. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Flaws that the suite gateway/spoofing finds. */
export const spoofingMutants: readonly GatewayMutant[] = [
  {
    id: 'G51',
    flaw: 'makes its issuer of the Host of each request',
    make() {
      const host = remembering((headers) => headers.get('host'))
      const issuerOf = (name = ''): string => `http://${name}/__zuplo/issuer`
      return {
        options: {
          steps: { admit: host.admit },
          wrap: {
            tokens: (made) => ({
              ...made,
              answer(path, method, headers) {
                const verdict = made.answer(path, method, headers)
                if (!verdict || 'problem' in verdict) return verdict
                return { ...verdict, body: verdict.body.replaceAll(made.issuer, issuerOf(headers.get('host'))) }
              },
            }),
          },
        },
        kinds: [
          {
            ...upstreamJwt,
            create: (options, context) => (request) => {
              const claims = {
                sub: request.user?.sub ?? '',
                aud: String(options['audience']),
                iss: issuerOf(host.of(request)),
              }
              request.headers.set('Authorization', `Bearer ${context.tokens?.sign(claims, 60) ?? ''}`)
              return undefined
            },
          },
        ],
      }
    },
    kills: ['gateway/spoofing/host-does-not-change-trust', 'gateway/faults/every-forward-is-signed'],
  },
  {
    id: 'G52',
    flaw: 'keeps a token that its caller sent',
    make() {
      const own = remembering((headers) => {
        const all = headers.all('authorization')
        const tokens = all.filter((line) => line.split('.').length === 3)
        if (tokens.length === 0) return undefined
        headers.remove('authorization')
        for (const line of all) if (!tokens.includes(line)) headers.add('Authorization', line)
        return tokens[0]
      })
      return steps({
        admit: own.admit,
        outgoing: outgoing((lines, request) =>
          lines.map(([name, value]) => [
            name,
            name.toLowerCase() === 'authorization' ? (own.of(request) ?? value) : value,
          ]),
        ),
      })
    },
    kills: [
      'gateway/token/verifies',
      'gateway/token/jti-unique',
      'gateway/spoofing/client-token-replaced',
      'gateway/faults/every-forward-is-signed',
    ],
  },
  {
    id: 'G53',
    flaw: 'removes only the canonical spelling of the headers that it sets',
    make: () =>
      steps({
        clean(headers, credentials, managed) {
          const aliases = pairsOf(headers.lines).filter(([name]) => /[_.]/u.test(name))
          referenceSteps.clean(headers, credentials, managed)
          for (const [name, value] of aliases) headers.add(name, value)
        },
      }),
    kills: ['gateway/spoofing/header-aliases'],
  },
  {
    id: 'G54',
    flaw: 'sets an identity header where the consumer has the attribute, and never removes one',
    make() {
      const own = linesOf(IDENTITY)
      return steps({
        admit: own.admit,
        outgoing: outgoing((lines, request) => {
          const set = new Set(lines.map(([name]) => name.toLowerCase()))
          return [...lines, ...(own.of(request) ?? []).filter(([name]) => !set.has(name.toLowerCase()))]
        }),
      })
    },
    kills: ['gateway/spoofing/identity-headers'],
  },
  {
    id: 'G155',
    flaw: 'believes the identity headers of its caller',
    make() {
      const own = linesOf(IDENTITY)
      return steps({
        admit: own.admit,
        outgoing: outgoing((lines, request) => {
          const given = new Map((own.of(request) ?? []).map(([name, value]) => [name.toLowerCase(), value]))
          return lines.map(([name, value]) => [name, given.get(name.toLowerCase()) ?? value])
        }),
      })
    },
    kills: ['gateway/spoofing/identity-headers'],
  },
  {
    id: 'G55',
    flaw: 'adds its headers, and then removes what Connection of its caller names',
    make() {
      const named = remembering((headers) => connectionOptions(headers))
      return steps({
        admit: named.admit,
        outgoing: outgoing((lines, request) => lines.filter(([name]) => !named.of(request)?.has(name.toLowerCase()))),
      })
    },
    kills: ['gateway/spoofing/connection-strips-token', 'gateway/faults/every-forward-is-signed'],
  },
  {
    id: 'G152',
    flaw: 'lets Connection of its caller remove identity headers',
    make() {
      const named = remembering((headers) => connectionOptions(headers))
      return steps({
        admit: named.admit,
        outgoing: outgoing((lines, request) =>
          lines.filter(([name]) => !IDENTITY.test(name) || !named.of(request)?.has(name.toLowerCase())),
        ),
      })
    },
    kills: ['gateway/spoofing/connection-strips-token'],
  },
  {
    id: 'G56',
    flaw: 'forwards the fields that Connection names',
    make: () =>
      steps({
        clean(headers, credentials, managed) {
          headers.remove('connection')
          referenceSteps.clean(headers, credentials, managed)
        },
      }),
    kills: ['gateway/spoofing/hop-by-hop'],
  },
  {
    id: 'G153',
    flaw: 'forwards Connection itself',
    make() {
      const own = linesOf(/^connection$/iu)
      return steps({
        admit: own.admit,
        async exchange(given, all, context) {
          const options = own.of(given.request) ?? []
          if (!options.some(([, value]) => /x-hop/iu.test(value)))
            return await referenceSteps.exchange(given, all, context)
          const lines = [...given.lines, ...options.flat()]
          return await plainExchange({ ...given, lines }, all, await bodyOf(given.incoming))
        },
      })
    },
    kills: ['gateway/spoofing/hop-by-hop'],
  },
  {
    id: 'G57',
    flaw: 'believes the first X-Forwarded-For, and asks for the entitlement of X-Original-URL',
    make: () => {
      const { options } = entitledElsewhere()
      return {
        options: {
          ...options,
          steps: {
            ...options?.steps,
            clientAddress: (incoming, headers, context) =>
              headers.get('x-forwarded-for')?.split(',')[0]?.trim() ??
              referenceSteps.clientAddress(incoming, headers, context),
          },
        },
      }
    },
    kills: ['gateway/spoofing/proxy-headers'],
  },
  {
    id: 'G145',
    flaw: 'asks for the entitlement of X-Original-URL',
    make: entitledElsewhere,
    kills: ['gateway/spoofing/proxy-headers'],
  },
  {
    id: 'G143',
    flaw: 'takes the path of X-Original-URL for that of the request',
    make: () =>
      steps({
        admit(incoming, headers, context) {
          const target = referenceSteps.admit(incoming, headers, context)
          const path = headers.get('x-original-url')
          return path === undefined || 'problem' in target ? target : { ...target, path }
        },
      }),
    kills: ['gateway/spoofing/proxy-headers'],
  },
  {
    id: 'G144',
    flaw: 'forwards with the method of X-HTTP-Method-Override',
    make() {
      const method = remembering((headers) => headers.get('x-http-method-override'))
      return steps({
        admit: method.admit,
        exchange: (given, all, context) =>
          referenceSteps.exchange(
            { ...given, request: { ...given.request, method: method.of(given.request) ?? given.request.method } },
            all,
            context,
          ),
      })
    },
    kills: ['gateway/spoofing/proxy-headers'],
  },
  {
    id: 'G150',
    flaw: 'takes the first of several lines of Host',
    make: () =>
      steps({
        admit(incoming, headers, context) {
          const host = headers.get('host')
          if (host !== undefined) headers.set('Host', host)
          return referenceSteps.admit(incoming, headers, context)
        },
      }),
    kills: ['gateway/spoofing/host-does-not-change-trust'],
  },
  {
    id: 'G151',
    flaw: 'forwards to the host of X-Forwarded-Host',
    make() {
      const host = remembering((headers) => headers.get('x-forwarded-host'))
      return steps({
        admit: host.admit,
        exchange(given, all, context) {
          const name = host.of(given.request)
          const destination =
            name === undefined ? given.destination : { ...given.destination, origin: `http://${name}` }
          return referenceSteps.exchange({ ...given, destination }, all, context)
        },
      })
    },
    kills: ['gateway/spoofing/host-does-not-change-trust'],
  },
  {
    id: 'G140',
    flaw: 'tells the origin the decoded target in a header, line ends and all',
    make: () =>
      steps({
        outgoing: outgoing((lines, { path, search }) => {
          const { first, lines: injected } = split(decoded(`${path}${search}`))
          return [...lines, ['X-Request-Target', first], ...injected]
        }),
      }),
    kills: ['gateway/spoofing/header-injection-by-encoding'],
  },
  {
    id: 'G141',
    flaw: 'decodes the header of the key, line ends and all',
    make() {
      const injected = remembering((headers) => {
        const { first, lines } = split(decoded(headers.get('authorization') ?? ''))
        if (lines.length > 0) headers.set('Authorization', first)
        return lines
      })
      return steps({
        admit: injected.admit,
        outgoing: outgoing((lines, request) => [...lines, ...(injected.of(request) ?? [])]),
      })
    },
    kills: ['gateway/key-auth/control-characters', 'gateway/spoofing/header-injection-by-encoding'],
  },
  {
    id: 'G149',
    flaw: 'writes attributes of consumers into headers, line ends and all',
    make() {
      const injected = new Map<string, readonly (readonly [string, string])[]>()
      const told = (record: KeyRecord): KeyRecord => {
        const { first, lines } = split(String(record.metadata['plan'] ?? ''))
        if (lines.length === 0) return record
        injected.set(record.consumer, lines)
        return { ...record, metadata: { ...record.metadata, plan: first } }
      }
      return {
        options: {
          adapt: ({ keys, ...services }) => ({
            ...services,
            keys: {
              silentMs: keys.silentMs,
              find(bucket, key) {
                const record = keys.find(bucket, key)
                return record && told(record)
              },
            },
          }),
          steps: {
            outgoing: outgoing((lines, { user }) => [...lines, ...(injected.get(user?.sub ?? '') ?? [])]),
          },
        },
      }
    },
    kills: ['gateway/spoofing/header-injection-by-encoding'],
  },
  {
    id: 'G154',
    flaw: 'takes a header name with a space before its colon',
    make: () => ({ front: changing((octets) => octets.replaceAll(/^([\w-]+) :/gmu, '$1:')) }),
    kills: ['gateway/spoofing/header-aliases'],
  },
  {
    id: 'G58',
    flaw: 'merges trailers into the headers',
    make: () =>
      steps({
        async exchange(given, all, context) {
          if (given.incoming.headers['transfer-encoding'] === undefined) {
            return await referenceSteps.exchange(given, all, context)
          }
          const body = await bodyOf(given.incoming)
          const replaced = new Set(pairsOf(given.incoming.rawTrailers).map(([name]) => name.toLowerCase()))
          const kept = pairsOf(given.lines).filter(([name]) => !replaced.has(name.toLowerCase()))
          return await plainExchange({ ...given, lines: [...kept.flat(), ...given.incoming.rawTrailers] }, all, body)
        },
      }),
    kills: ['gateway/spoofing/trailers', 'gateway/faults/every-forward-is-signed'],
  },
  {
    id: 'G59',
    flaw: 'goes by Content-Length, and forwards it beside Transfer-Encoding',
    make: () => ({
      ...smuggling(),
      front: framing((lines, rest) => {
        const length = lines
          .map((line) => /^content-length: \+?(\d+)/iu.exec(line)?.[1])
          .find((one) => one !== undefined)
        const isPlain = lines.length === 1 && /^content-length: \d+$/iu.test(lines[0] ?? '')
        return length === undefined || isPlain ? undefined : rest.slice(0, Number(length))
      }),
    }),
    kills: ['gateway/spoofing/request-smuggling'],
  },
  {
    id: 'G146',
    flaw: 'forwards a chunked body as it came, without reading its chunks',
    make: () => ({
      ...smuggling(),
      front: framing((lines, rest) => (lines.some((line) => /chunked/iu.test(line)) ? rest : undefined)),
    }),
    kills: ['gateway/spoofing/request-smuggling'],
  },
  {
    id: 'G60',
    flaw: 'passes WebSocket handshakes on before it looks for a key',
    make: () => unguarded(isWebSocket),
    kills: ['gateway/spoofing/upgrade', 'gateway/faults/every-forward-is-signed'],
  },
  {
    id: 'G148',
    flaw: 'passes upgrades to h2c on before it looks for a key',
    make: () => unguarded(({ headers }) => headers.upgrade === 'h2c'),
    kills: ['gateway/spoofing/upgrade', 'gateway/faults/every-forward-is-signed'],
  },
]

/** Runs the policies of the route that X-Original-URL names. */
function entitledElsewhere(): GatewayFlaw {
  const other = elsewhere()
  let table: Parameters<GatewaySteps['route']>[0] | undefined
  return steps({
    admit: other.admit,
    route(given, method, path) {
      table = given
      return referenceSteps.route(given, method, path)
    },
    inbound(route, request, incoming) {
      const path = other.of(request)
      const found = path === undefined ? undefined : table?.find(request.method, path)
      return referenceSteps.inbound(found?.route ?? route, request, incoming)
    },
  })
}

function smuggling(): GatewayFlaw {
  return steps({
    exchange: async (given, all, context) =>
      (await asFramed(given)) ?? (await referenceSteps.exchange(given, all, context)),
  })
}

/** Lets requests of a kind through without a key. */
function unguarded(passes: (incoming: Parameters<GatewaySteps['inbound']>[2]) => boolean): GatewayFlaw {
  return steps({
    inbound: (route, request, incoming) =>
      passes(incoming) ? undefined : referenceSteps.inbound(route, request, incoming),
  })
}
