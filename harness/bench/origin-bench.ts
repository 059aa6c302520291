import type { OriginBench } from '../model/bench.ts'
import { ORIGIN_CAPABILITIES } from '../model/capabilities.ts'
import type { ConformanceCase } from '../model/case.ts'
import { Inconclusive } from '../model/errors.ts'
import { encryptJwe } from '../issuer/jwe.ts'
import { selfSignedCertificate } from '../issuer/certificate.ts'
import { createMint } from '../issuer/mint.ts'
import { CaseRun } from './case-run.ts'
import { exchange } from './exchange.ts'
import { JwksControl } from './jwks-control.ts'
import { masked } from './masked.ts'
import { elapse } from './passage.ts'
import type { CaseOutcome } from './outcome.ts'
import { createRandom } from './random.ts'
import { concluded, tellingOf } from './telling.ts'
import { fetchSays, told } from './timeline.ts'
import type { Session } from './session.ts'
import type { KeyRole, SigningKey } from '../model/token.ts'

/**
 * Runs one case to its outcome. `attempt` tells runs of the same case apart, so that nothing is minted twice.
 * Throws ERR_HARNESS when the case itself is broken.
 */
export async function runCase(
  session: Session,
  suiteId: string,
  subject: ConformanceCase,
  attempt: number,
): Promise<CaseOutcome> {
  const id = `${suiteId}/${subject.id}`
  const random = createRandom(session.seed, `${id} ${attempt}`)
  const mint = createMint({
    keys: session.keyStore,
    main: session.keys.main,
    base: (key) => session.base(key, random),
    trusted: session.trusted,
    padding: session.profile.padding === true,
  })
  const given = await session.userToken?.()
  const run = new CaseRun(session, id, mint, given)
  const scope = `${id.replaceAll('/', '-')}-${attempt}`
  const fetchesBefore = session.issuer.journal.entries.length
  let now = Math.floor(session.nowSec())
  const { timeline } = run.ledger
  const pass = async (seconds: number): Promise<void> => {
    await elapse(session, seconds, (exp) => mint({ exp }))
    const says = session.clock ? 'the clock of the origin was moved on by' : 'waited'
    timeline.note('clock', `${says} ${told(seconds)}`)
    now = Math.floor(session.nowSec())
  }
  const control = new JwksControl({
    session,
    nonce: random.nonce,
    elapse: pass,
    isAccepted: async () =>
      (await exchange(session.client, { token: run.controlToken() }, session.profile)).answer.outcome === 'accepted',
    notes(name, value) {
      run.ledger.records(name, value)
    },
    happened(kind, says) {
      timeline.note(kind, says)
    },
  })

  const bench: OriginBench = {
    now: () => now,
    profile: session.profile,
    keys: session.keys,
    mint,
    encrypt(plaintext, options) {
      const compact = encryptJwe(plaintext, options)
      return { compact, control: false, provenBy: session.keys.main.role, yours: false }
    },
    certificate: (key) => selfSignedCertificate(session.keyStore, key.role),
    control: () => run.controlToken(),
    accepts: (what, stimulus) => run.accepts(what, stimulus),
    refuses: (what, stimulus, never) => run.refuses(what, stimulus, never),
    survives: (what, stimulus) => run.survives(what, stimulus),
    observes: (what, stimulus) => run.observes(what, stimulus),
    ...tellingOf(run.ledger, session.capabilities, ORIGIN_CAPABILITIES),
    connect: () => Promise.resolve(session.client.connect()),
    async elapse(seconds) {
      if (!session.clock) run.ledger.records('waited for, s', seconds)
      await pass(seconds)
    },
    jwks: control.bench,
    proven: [session.keys.main, ...provenBeside(session)],
    process: () => session.process?.(),
    canary: {
      url: (name) => session.issuer.canary.urlFor(scope, name),
      hits: () => session.issuer.canary.hits(scope).map(({ method, path }) => `${method} ${path}`),
    },
    jwksFetches: () => session.issuer.journal.entries.slice(fetchesBefore).map(({ target }) => target),
    refusals: () => session.refusals,
    acceptances: () => [...session.acceptances.values()],
    nonce: random.nonce,
    random: random.octets,
  }

  let thrown: unknown
  try {
    await subject.run(bench)
  } catch (error) {
    thrown = error
  }
  // Of cases that run together nobody can tell whose a fetch is.
  const isAlone = subject.runs === 'alone' || subject.runs === 'last'
  for (const fetch of isAlone ? session.issuer.journal.entries.slice(fetchesBefore) : []) {
    timeline.note('fetch', fetchSays(fetch), fetch.at)
  }
  timeline.close()
  await control.undo().catch((error: unknown) => {
    // The control that follows tells what state the origin is left in.
    if (!(error instanceof Inconclusive)) throw error
  })
  return concluded(id, masked(await run.finish(thrown), session.hidden), thrown)
}

/** Published keys whose token was accepted, without the main one. */
function provenBeside({ keys, keyStore, provenRoles }: Session): readonly SigningKey[] {
  const others = [...provenRoles].filter((role) => role !== keys.main.role)
  return others.map((role) => keyStore.get(role as KeyRole))
}
