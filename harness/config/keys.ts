import type { ApiKey, GatewayProfile } from '../model/gateway-profile.ts'
import type { GatewayConfig, KeyConfig } from './define.ts'
import type { Mistake } from './shape.ts'

const VARIABLE = /\$\{(\w+)\}/gu

/** The members of a gateway's configuration that hold keys, in the order of its declaration. */
const LISTS = ['keys', 'revokedKeys', 'expiredKeys', 'disabledKeys', 'spareKeys', 'pairOfKeys'] as const

type ListName = (typeof LISTS)[number]

/** Names of consumers that are made up, by where their keys stand. */
const NAMES: Readonly<Record<ListName | 'otherKeys', string>> = {
  keys: 'consumer',
  revokedKeys: 'revoked',
  expiredKeys: 'expired',
  disabledKeys: 'disabled',
  spareKeys: 'spare',
  pairOfKeys: 'pair',
  otherKeys: 'other',
}

/** A key with its consumer, which is made up where nobody says: of its own, or of the pair. */
export function keyOf(config: KeyConfig, place: ListName | 'otherKeys', at: number): ApiKey {
  const given = typeof config === 'string' ? { key: config } : config
  const name = place === 'pairOfKeys' ? 'pair' : `${NAMES[place]}-${at + 1}`
  return { ...given, consumer: given.consumer ?? name }
}

/** The keys of a configuration, with variables of the environment filled in. */
export function keysOf(
  config: GatewayConfig,
  env: NodeJS.ProcessEnv,
): { readonly keys: Partial<Pick<GatewayProfile, ListName | 'entitlement'>>; readonly mistakes: readonly Mistake[] } {
  const mistakes: Mistake[] = []
  const seen = new Map<string, string>()
  const filled = (list: readonly KeyConfig[], place: ListName | 'otherKeys', at: string): readonly ApiKey[] =>
    list.map((one, index) => {
      const member = `${at}[${index}]`
      const made = keyOf(one, place, index)
      const key = made.key.replaceAll(VARIABLE, (_, name: string) => {
        const value = env[name]
        if (value === undefined || value === '') {
          mistakes.push({
            member,
            given: `the variable ${name}, which is not set`,
            instead: `a value for ${name} in the environment`,
          })
        }
        return value ?? ''
      })
      const first = seen.get(key)
      if (first !== undefined && key !== '') {
        mistakes.push({ member, given: `the same key as ${first}`, instead: 'each key once' })
      }
      seen.set(key, first ?? member)
      return { ...made, key }
    })
  const lists = LISTS.flatMap((name) => {
    const list = config[name]
    return list === undefined ? [] : [[name, filled(list, name, name)] as const]
  })
  const { entitlement } = config
  const otherKeys = entitlement?.otherKeys && filled(entitlement.otherKeys, 'otherKeys', 'entitlement.otherKeys')
  return {
    keys: {
      ...(Object.fromEntries(lists) as Partial<Pick<GatewayProfile, ListName>>),
      ...(entitlement ? { entitlement: { route: entitlement.route, ...(otherKeys ? { otherKeys } : {}) } } : {}),
    },
    mistakes,
  }
}
