import { defineSuite } from '../../harness/model/case.ts'
import { judgeAllArrivals } from '../outages/invariant.ts'
import { breakOff, breakWrites, loseOrigin, stall } from '../outages/origin.ts'
import { overload } from '../outages/overload.ts'
import { loseKeyStore, loseLimitStore, loseSigner } from '../outages/stores.ts'

export default defineSuite({
  id: 'gateway/faults',
  title: 'Fail-closed and overload',
  cases: [
    {
      id: 'origin-down',
      title: 'tells callers of an origin that is away, and does not blame their keys',
      level: 'MUST',
      clause: ['rfc9110/502', 'rfc9110/503', 'rfc9110/504'],
      needs: ['key', 'capture'],
      runs: 'alone',
      rationale: 'A made-up 2xx loses what the caller believes stored; a 401 has it throw away a key that is good.',
      remedy: 'Answer 502, 503 or 504 where the origin cannot be reached or breaks off before its answer.',
      run: loseOrigin,
    },
    {
      id: 'origin-misbehaves',
      title: 'ends a stalled exchange in time, and shows when an answer is incomplete',
      level: 'SHOULD',
      clause: ['rfc9110/504', 'rfc9112/incomplete'],
      needs: ['key', 'capture'],
      rationale: 'Callers wait for ever for an origin that hangs, and take half of an answer for all of it.',
      remedy:
        'Set a deadline for the origin, and break off the answer to the caller where that of the origin breaks off.',
      async run(bench) {
        await Promise.all([stall(bench), breakOff(bench)])
      },
    },
    {
      id: 'no-retry-of-post',
      title: 'sends a POST that the origin has read only once',
      level: 'SHOULD',
      clause: ['rfc9110/idempotent'],
      needs: ['key', 'capture'],
      rationale: 'A payment whose answer was lost is made twice when the gateway tries again by itself.',
      remedy: 'Let callers decide on trying again: send only safe or idempotent methods once more.',
      run: breakWrites,
    },
    {
      id: 'key-store-down',
      title: 'lets nobody in whose key it cannot check',
      level: 'MUST',
      clause: ['cwe-636'],
      needs: ['key', 'capture', 'jwks', 'key-store-down'],
      runs: 'alone',
      rationale: 'A gateway that lets everybody in while its store is away can be opened by taking the store away.',
      remedy: 'Answer 503 while keys cannot be checked, unless what is known of the key is still fresh.',
      run: loseKeyStore,
    },
    {
      id: 'limit-store-down',
      title: 'does as declared while limits cannot be counted, and still checks keys',
      level: 'MUST',
      clause: ['cwe-636'],
      needs: ['key', 'capture', 'jwks', 'limit-store-down'],
      runs: 'alone',
      rationale: 'An error of the limiter that skips the rest of the chain skips the check of the key with it.',
      remedy: 'Catch errors of the limiter where they occur, and go on with the next policy or refuse.',
      run: loseLimitStore,
    },
    {
      id: 'signer-down',
      title: 'forwards nothing while it cannot sign',
      level: 'MUST',
      clause: ['trust/every-forward-signed', 'cwe-636'],
      needs: ['key', 'capture', 'jwks', 'signer-down'],
      runs: 'alone',
      rationale: 'A request without a token is refused by a good origin, and let in by one that is lenient.',
      remedy: 'Answer 503 where no token can be signed, before anything is forwarded.',
      run: loseSigner,
    },
    {
      id: 'overload',
      title: 'stays correct and alive under more requests than it can forward',
      level: 'SHOULD',
      clause: ['cwe-400', 'rfc9110/503'],
      needs: ['key', 'capture', 'jwks'],
      runs: 'alone',
      rationale: 'A queue without a bound makes one slow origin an outage of everything behind the gateway.',
      remedy: 'Limit the requests at the origins and the queue before them, and answer 503 or 429 beyond.',
      run: overload,
    },
    {
      id: 'every-forward-is-signed',
      title: 'signs every request that it forwards to a protected path, all through a run',
      level: 'MUST',
      clause: ['trust/every-forward-signed'],
      needs: ['key', 'capture', 'jwks'],
      runs: 'last',
      rationale: 'One way past the signing, however rare, is a way past everything that the origin relies on.',
      remedy: 'Sign at the one place through which every request to an origin goes, and forward nothing beside it.',
      run: judgeAllArrivals,
    },
  ],
})
