import { isIPv6 } from 'node:net'

/** Hexadecimal digits of the network of an IPv6 address: 64 of its 128 bits. */
const GROUPS = 4

/**
 * What counts as one caller: an IPv4 address, or a /64 of IPv6. Whoever has one address of a /64 has all of them, and
 * with a counter for each would have no limit.
 */
export function networkOf(address: string): string {
  const plain = address.split('%')[0] ?? ''
  if (!isIPv6(plain)) return address
  // The URL parser writes every form of an address in the same one: lower case, one run of zeros left out.
  const [head = '', tail] = new URL(`http://[${plain}]/`).hostname.slice(1, -1).split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return `${[...before, ...zeros, ...after].slice(0, GROUPS).join(':')}::/64`
}
