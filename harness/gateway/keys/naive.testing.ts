import { seeded } from '../limits/naive.testing.ts'
import { DEFAULT_BUCKET } from './store.ts'
import type { KeyStore } from './store.ts'

/** A key as one would write it down; times in milliseconds since the epoch. */
interface NaiveKey {
  readonly text: string
  readonly id: string
  readonly consumer: string
  disabled: boolean
  endsMs: number | undefined
  leaked: boolean
}

/** Times at which keys may end, in no order. */
const ENDS = ['2031-05-01T00:00:00Z', '2030-01-01', '2040-12-31T23:59:59+02:00', '2029-06-15T12:00Z', '2035-03-03']

/** Keys that were made elsewhere. */
const FOREIGN = Array.from({ length: 6 }, (_, at) => `a-key-from-elsewhere-${at}`)

/** Consumers and keys as lists in which everything is looked for anew; tells what a store has to answer. */
export class NaiveKeys {
  readonly consumers: { readonly name: string; disabled: boolean; step: number }[] = []
  keys: NaiveKey[] = []
  /** Every text that ever was a key, in the order of their first use. */
  readonly texts = new Set<string>()
  readonly leaked = new Set<string>()

  consumer(name: string) {
    return this.consumers.find((one) => one.name === name)
  }

  /** What `find` has to give for the text. */
  found(text: string): unknown {
    const key = this.keys.find((one) => one.text === text)
    const consumer = key && this.consumer(key.consumer)
    if (!consumer) return undefined
    return {
      id: key.id,
      consumer: consumer.name,
      metadata: { step: consumer.step },
      ...(key.endsMs === undefined ? {} : { expiresMs: key.endsMs }),
      disabled: key.disabled || key.leaked || consumer.disabled,
    }
  }
}

/** What is wrong in a store by the model: texts of keys that it finds otherwise, and consumers whose keys are others. */
export function faultsOf(store: KeyStore, model: NaiveKeys): readonly string[] {
  const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)
  const ids = (keys: readonly { readonly id: string }[]) => keys.map(({ id }) => id).toSorted()
  return [
    ...[...model.texts].filter((text) => !same(store.find(DEFAULT_BUCKET, text), model.found(text))),
    ...model.consumers
      .filter(({ name }) => {
        const own = model.keys.filter(({ consumer }) => consumer === name)
        return !same(ids(store.keys(DEFAULT_BUCKET, name)), ids(own))
      })
      .map(({ name }) => name),
  ]
}

/** One thing to do to a store and to the model; gives what is to become of it: a status, or 0 where it is done. */
type Step = (walk: Walk) => Promise<readonly [due: number, act: Promise<unknown>]>

interface Walk {
  readonly store: KeyStore
  readonly model: NaiveKeys
  readonly at: number
  readonly below: (most: number) => number
  /** The consumer that is meant, whether it is there or not. */
  readonly name: string
  /** The key that is meant, there or gone; undefined before the first. */
  readonly key: NaiveKey | undefined
  /** A time, the same in both spellings. */
  readonly end: string
  /** Names are its own, so that several can go on in one store. */
  readonly prefix: string
}

const NOBODY = { id: 'key_none', text: 'no-key-that-ever-was', consumer: '' }

const STEPS: readonly Step[] = [
  async ({ store, model, name, at }) => {
    const act = store.createConsumer(DEFAULT_BUCKET, name, { metadata: { step: at } })
    if (model.consumer(name)) return [409, act]
    model.consumers.push({ name, disabled: false, step: at })
    return [0, act]
  },
  async ({ store, model, name, at, below }) => {
    const consumer = model.consumer(name)
    const change = below(2) === 0 ? { disabled: below(3) === 0 } : { metadata: { step: at } }
    if (consumer) Object.assign(consumer, change.metadata ?? change)
    return [consumer ? 0 : 404, store.updateConsumer(DEFAULT_BUCKET, name, change)]
  },
  async ({ store, model, name, below }) => {
    // Seldom, or there would never be many keys.
    if (below(3) > 0) return [0, Promise.resolve()]
    const at = model.consumers.findIndex((one) => one.name === name)
    if (at >= 0) model.consumers.splice(at, 1)
    model.keys = model.keys.filter(({ consumer }) => consumer !== name)
    return [at < 0 ? 404 : 0, store.deleteConsumer(DEFAULT_BUCKET, name)]
  },
  async ({ store, model, name, end, below }) => {
    const ends = below(3) === 0
    const act = store.createKey(DEFAULT_BUCKET, name, ends ? { expiresOn: end } : {})
    if (!model.consumer(name)) return [404, act]
    const { key: text, stored } = await act
    add(model, { text, id: stored.id, consumer: name, endsMs: ends ? Date.parse(end) : undefined })
    return [0, act]
  },
  async ({ store, model, name, key, below, prefix }) => {
    const text = key && below(2) === 0 ? key.text : `${prefix}-${FOREIGN[below(FOREIGN.length)]}`
    const isKnown = model.keys.some((one) => one.text === text) || model.leaked.has(text)
    const act = store.importKey(DEFAULT_BUCKET, name, text)
    if (isKnown) return [409, act]
    if (!model.consumer(name)) return [404, act]
    add(model, { text, id: (await act).id, consumer: name, endsMs: undefined })
    return [0, act]
  },
  async ({ store, model, name, key = NOBODY, end, below }) => {
    // Now and then by the name of somebody else, who has no such key.
    const consumer = below(5) === 0 ? name : key.consumer
    const found = model.keys.find((one) => one.id === key.id && one.consumer === consumer)
    const what = below(4)
    const disabled = what === 0
    if (what < 2 && found) found.disabled = disabled
    if (what >= 2 && found) found.endsMs = what === 2 ? undefined : Date.parse(end)
    const change = what < 2 ? { disabled } : { expiresOn: what === 2 ? null : end }
    return [found ? 0 : 404, store.updateKey(DEFAULT_BUCKET, consumer, key.id, change)]
  },
  async ({ store, model, key = NOBODY }) => {
    const isThere = model.keys.some(({ id }) => id === key.id)
    model.keys = model.keys.filter(({ id }) => id !== key.id)
    return [isThere ? 0 : 404, store.deleteKey(DEFAULT_BUCKET, key.consumer, key.id)]
  },
  async ({ store, model, name, end }) => {
    const act = store.roll(DEFAULT_BUCKET, name, end)
    if (!model.consumer(name)) return [404, act]
    for (const key of model.keys) {
      if (key.consumer === name) key.endsMs = Math.min(key.endsMs ?? Number.POSITIVE_INFINITY, Date.parse(end))
    }
    const { key: text, stored } = await act
    add(model, { text, id: stored.id, consumer: name, endsMs: undefined })
    return [0, act]
  },
  async ({ store, model, key = NOBODY, below }) => {
    if (below(4) > 0) return [0, Promise.resolve()]
    const own = model.keys.filter(({ text }) => text === key.text)
    for (const one of own) {
      one.leaked = true
      model.leaked.add(one.text)
    }
    const found = await store.revokeLeaked([NOBODY.text, key.text, key.text])
    const due = [undefined, own[0]?.id, own[0]?.id]
    return [JSON.stringify(found.map((one) => one?.id)) === JSON.stringify(due) ? 0 : 1, Promise.resolve()]
  },
]

function add(model: NaiveKeys, key: Omit<NaiveKey, 'disabled' | 'leaked'>): void {
  model.keys.push({ ...key, disabled: false, leaked: false })
  model.texts.add(key.text)
}

/**
 * Does the same to a store and to the model, as it follows from the seed; gives the model and what went otherwise than
 * it said. `looks` compares the two after every step, for a store that nobody else changes.
 */
export async function walkBoth(
  store: KeyStore,
  { seed, steps, looks }: { seed: number; steps: number; looks: boolean },
) {
  const random = seeded(seed)
  const below = (most: number): number => Math.floor(random() * most)
  const model = new NaiveKeys()
  const faults: string[] = []
  const ever: NaiveKey[] = []
  for (let at = 0; at < steps; at += 1) {
    const prefix = `walker-${seed}`
    const which = below(STEPS.length + 4)
    // Keys are made more often than they go.
    const step = STEPS[which < STEPS.length ? which : 3] ?? STEPS[3]
    const walk = { store, model, at, below, prefix, name: `${prefix}.${below(3)}`, key: ever[below(ever.length)] }
    const [due, act] = (await step?.({ ...walk, end: ENDS[below(ENDS.length)] ?? '' })) ?? [1, Promise.resolve()]
    const status = await act.then(
      () => 0,
      (error: unknown) => (error as { readonly status?: number }).status ?? 1,
    )
    if (status !== due) faults.push(`step ${at}, operation ${which}: ${status} in place of ${due}`)
    if (looks) faults.push(...faultsOf(store, model).map((what) => `after step ${at}: ${what}`))
    for (const key of model.keys) if (!ever.includes(key)) ever.push(key)
  }
  return { model, faults }
}
