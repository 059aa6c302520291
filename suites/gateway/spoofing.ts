import { defineSuite } from '../../harness/model/case.ts'
import { spoofAliases } from '../spoofing/aliases.ts'
import { sendHopByHop, stripByConnection } from '../spoofing/connection.ts'
import { replaceToken } from '../spoofing/forged.ts'
import { nameAnotherHost } from '../spoofing/hosts.ts'
import { keyWithoutAttribute, spoofIdentity } from '../spoofing/identity.ts'
import { injectHeaders } from '../spoofing/injection.ts'
import { rewriteByHeaders, spoofAddress } from '../spoofing/proxies.ts'
import { smuggle } from '../spoofing/smuggle.ts'
import { sendTrailers } from '../spoofing/trailers.ts'
import { upgradeWithoutKey } from '../spoofing/upgrades.ts'

export default defineSuite({
  id: 'gateway/spoofing',
  title: 'Header spoofing and injection',
  cases: [
    {
      id: 'client-token-replaced',
      title: 'sends its own token in place of any that the caller sent',
      level: 'MUST',
      clause: ['trust/token-only', 'cwe-290'],
      needs: ['key', 'capture', 'jwks'],
      rationale:
        'An origin trusts what stands in the token header: a token that the caller put there must never arrive.',
      remedy: 'Remove every line of the token header, in any case of letters, before the own token is added.',
      run: replaceToken,
    },
    {
      id: 'header-aliases',
      title: 'lets no other spelling of its headers through',
      level: 'SHOULD',
      clause: ['rfc9112/field-lines', 'cve-2025-64484'],
      needs: ['key', 'capture'],
      rationale: 'Many frameworks read X_Consumer_ID as X-Consumer-ID, and then take the word of the caller for it.',
      remedy: 'Refuse or drop header names with underscores or dots, and answer 400 to a space before the colon.',
      run: spoofAliases,
    },
    {
      id: 'identity-headers',
      title: 'tells the origin who is calling by the key alone',
      level: 'MUST',
      clause: ['cwe-290'],
      needs: ['key', 'capture', 'identity-headers'],
      rationale:
        'A header that is set only where the consumer has the attribute is the word of the caller everywhere else.',
      remedy: 'Remove identity headers from every request first, then set those that the consumer has.',
      async run(bench) {
        const [main] = bench.keys
        if (main) await spoofIdentity(bench, main, 'of a consumer')
        const lacking = await keyWithoutAttribute(bench)
        if (lacking) await spoofIdentity(bench, lacking, 'of a consumer that lacks an attribute')
      },
    },
    {
      id: 'connection-strips-token',
      title: 'keeps its token and its headers when Connection names them',
      level: 'MUST',
      clause: ['rfc9110/connection', 'cve-2021-32813', 'cve-2024-45410', 'cve-2022-31813'],
      needs: ['key', 'capture', 'jwks'],
      rationale: 'A caller who can have headers of the gateway removed chooses what the origin learns of the caller.',
      remedy: 'Remove what Connection names from the request of the caller, before anything is added to it.',
      run: stripByConnection,
    },
    {
      id: 'hop-by-hop',
      title: 'removes Connection and the fields that it names',
      level: 'MUST',
      clause: ['rfc9110/connection'],
      needs: ['key', 'capture'],
      rationale: 'What is meant for one connection and travels on is obeyed by servers that it was never meant for.',
      remedy: 'Remove Connection and every field that it lists before a request is forwarded.',
      run: sendHopByHop,
    },
    {
      id: 'proxy-headers',
      title: 'decides by the real path, method and peer, whatever headers say of them',
      level: 'SHOULD',
      clause: ['cwe-348', 'cwe-436'],
      needs: ['key', 'capture'],
      rationale: 'Lists of allowed addresses and entitlements are worth nothing where a header can name another place.',
      remedy: 'Replace or remove what callers say of forwarding, and drop headers that name another path or method.',
      async run(bench) {
        await spoofAddress(bench)
        await rewriteByHeaders(bench)
      },
    },
    {
      id: 'host-does-not-change-trust',
      title: 'makes neither issuer, audience nor origin out of the Host of a request',
      level: 'MUST',
      clause: ['rfc9112/host', 'rfc8725/issuer', 'cwe-644'],
      needs: ['key', 'capture', 'jwks'],
      rationale: 'Where the Host makes the issuer or the audience, the caller has tokens signed for whomever it likes.',
      remedy: 'Configure issuer, audience and origin; answer 400 where there are two lines of Host.',
      run: nameAnotherHost,
    },
    {
      id: 'header-injection-by-encoding',
      title: 'makes no header lines out of encoded line ends',
      level: 'MUST',
      clause: ['rfc9110/field-values', 'cwe-113'],
      needs: ['key', 'capture', 'jwks'],
      rationale: 'A line end that is decoded on its way into a header lets the caller write headers of the gateway.',
      remedy: 'Refuse control characters in whatever becomes a header, after it is decoded.',
      run: injectHeaders,
    },
    {
      id: 'trailers',
      title: 'does not merge trailers into the headers',
      level: 'SHOULD',
      clause: ['rfc9110/trailers'],
      needs: ['key', 'capture', 'jwks'],
      rationale: 'Trailers come after every check of the headers: merged, they replace what was checked.',
      remedy: 'Remove trailers, or forward them as trailers.',
      run: sendTrailers,
    },
    {
      id: 'request-smuggling',
      title: 'forwards no request that is hidden in the body of another',
      level: 'MUST',
      clause: ['rfc9112/transfer-encoding', 'rfc9112/length', 'cwe-444'],
      needs: ['key', 'capture', 'jwks'],
      runs: 'alone',
      rationale: 'A hidden request reaches the origin without key, limit or log, on a connection that it trusts.',
      remedy: 'Refuse with 400 whatever has two lengths or a doubtful one, and write the framing anew when forwarding.',
      run: smuggle,
    },
    {
      id: 'upgrade',
      title: 'upgrades no connection without a key',
      level: 'MUST',
      clause: ['rfc9110/upgrade', 'cwe-306', 'cwe-444'],
      needs: ['key'],
      rationale: 'Upgrades pass by the filters of many gateways, and what follows is never looked at again.',
      remedy: 'Check the key before an Upgrade is passed on, and pass on only the protocols of the route.',
      run: upgradeWithoutKey,
    },
  ],
})
