import type { GatewayRoute } from '../../harness/model/gateway-profile.ts'
import type { NamedCall } from './calls.ts'

/** Other spellings of the path of a route, and ways to it from a path that needs no key; none of them with a key. */
export function pathVariants({ path }: GatewayRoute, open: readonly GatewayRoute[]): readonly NamedCall[] {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const base = path.slice(0, path.length - name.length)
  const swapped = path === path.toUpperCase() ? path.toLowerCase() : path.toUpperCase()
  const hex = (character: string): string => `%${(character.codePointAt(0) ?? 0).toString(16)}`
  const variants: readonly (readonly [string, string])[] = [
    ['two slashes', `/${path}`],
    ['/./ before it', `/.${path}`],
    ['/x/../ before it', `/x/..${path}`],
    ['/%2e/ before it', `/%2e${path}`],
    ['/x/%2e%2e/ before it', `/x/%2e%2e${path}`],
    ['/x/.%2E/ before it', `/x/.%2E${path}`],
    ['%2f for its slash', `${base}%2f${name}`],
    ['%2f in place of its first slash', `/%2f${path.slice(1)}`],
    ['%5c before it', `/%5c..%5c${path.slice(1)}`],
    ['a path parameter', `${path};a=b`],
    ['a path parameter before it', `/;a=b${path}`],
    ['..; before it', `/x/..;${path}`],
    ['a slash behind it', `${path}/`],
    ['a dot behind it', `${path}.`],
    ['/. behind it', `${path}/.`],
    ['/x/.. behind it', `${path}/x/..`],
    ['other case', swapped],
    ['its first letter encoded', `${base}${hex(name[0] ?? '')}${name.slice(1)}`],
    ['all of it encoded', `${base}${name.split('').map(hex).join('')}`],
    ['absolute form', `http://localhost${path}`],
    ['absolute form, with two slashes', `http://localhost/${path}`],
    ['%23 behind it', `${path}%23`],
    ['%2523 behind it', `${path}%2523`],
    ['%00 behind it', `${path}%00`],
    ['a fragment', `${path}#x`],
  ]
  return [
    ...variants
      .filter(([, target]) => target !== path)
      .map(([what, target]): NamedCall => [`no key, ${path} with ${what}`, { key: null, target }]),
    ...open.flatMap((other) => fromOpen(path, other)),
  ]
}

/** What stands between a public path and the protected one, so that some server forgets the public one. */
const BETWEEN = [
  '/..',
  '/../.',
  '//..',
  '/./..',
  '/x/../..',
  '/%2e%2e',
  '/.%2e',
  '%2f..',
  '/..%2f..',
  '%5c..',
  ';a=b/..',
  '/..;',
  '/..;a=b',
  './..',
  '?/..',
  '#/..',
  '%23/..',
  '%2523/..',
  '%00/..',
] as const

function fromOpen(path: string, { path: open, methods }: GatewayRoute): readonly NamedCall[] {
  const up = '/..'.repeat(open.split('/').length - 2)
  const call = (target: string) => ({ key: null, target, method: methods[0] })
  return [
    ...BETWEEN.map((between): NamedCall => [
      `no key, ${open}${between}${up}${path}`,
      call(`${open}${between}${up}${path}`),
    ]),
    [`no key, ${path} in absolute form behind ${open}`, call(`${open}/../http://localhost${path}`)],
  ]
}
