import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { TrustspecError } from '../model/errors.ts'
import type { Headers } from './headers.ts'
import type { GatewayContext } from './steps.ts'

/** Address of the caller: the peer, or the last address that a trusted proxy in front wrote down. */
export function clientAddress(
  incoming: IncomingMessage,
  headers: Headers,
  { trusts }: Pick<GatewayContext, 'trusts'>,
): string {
  let address = plain(incoming.socket.remoteAddress ?? '')
  if (!trusts(address)) return address
  const hops = headers
    .all('x-forwarded-for')
    .flatMap((line) => line.split(','))
    .map((hop) => plain(hop.trim()))
  // From the nearest hop outwards: whoever is not trusted could have written anything in front of itself.
  for (const hop of hops.toReversed()) {
    if (isIP(hop) === 0) return address
    address = hop
    if (!trusts(address)) return address
  }
  return address
}

/** An IPv4 address that came over an IPv6 socket in its own form. */
function plain(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

/** Whether an address is in one of the networks, each an address or `network/bits`; ERR_USAGE for anything else. */
export function trustIn(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => false
  const list = new BlockList()
  for (const network of networks) {
    const [, address = '', bits] = /^([^/]+)(?:\/(\d+))?$/u.exec(network) ?? []
    const version = isIP(address)
    const most = version === 6 ? 128 : 32
    const prefix = bits === undefined ? most : Number(bits)
    if (version === 0 || prefix > most) {
      throw new TrustspecError('ERR_USAGE', 'The trusted proxy is no network', {
        given: network,
        instead: 'an address such as 10.0.0.7, or a network such as 10.0.0.0/8',
      })
    }
    list.addSubnet(address, prefix, version === 6 ? 'ipv6' : 'ipv4')
  }
  return (address) => {
    const version = isIP(address)
    return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4')
  }
}
