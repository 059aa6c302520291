import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { TrustspecError } from '../model/errors.ts'

const NEAR = new BlockList()
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const) {
  NEAR.addSubnet(network, prefix, 'ipv4')
}
NEAR.addAddress('::1', 'ipv6')
NEAR.addSubnet('fc00::', 7, 'ipv6')
NEAR.addSubnet('fe80::', 10, 'ipv6')

/** Whether an IP address is of this machine or of a private network. */
export function isNear(address: string): boolean {
  return NEAR.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** ERR_TARGET_NOT_ALLOWED when the host has a public address: testing it needs the word of its owner. */
export async function assertAllowed(url: URL, authorised: boolean): Promise<void> {
  const host = url.hostname.replaceAll(/^\[|\]$/gu, '')
  if (authorised || host === 'localhost' || host.endsWith('.localhost')) return
  const addresses = isIP(host) === 0 ? await resolve(host, url) : [host]
  const far = addresses.find((address) => !isNear(address))
  if (far === undefined) return
  throw new TrustspecError('ERR_TARGET_NOT_ALLOWED', 'The target has a public address', {
    url: url.href,
    address: far,
    instead: 'a loopback or private address, or --i-am-authorised if its owner has agreed to the test',
  })
}

async function resolve(host: string, url: URL): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address)
  } catch (error) {
    throw new TrustspecError(
      'ERR_TARGET_UNREACHABLE',
      'The host of the URL has no address',
      { url: url.href, instead: 'a host name that resolves, or an IP address' },
      { cause: error },
    )
  }
}
