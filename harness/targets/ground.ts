import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { TrustspecError } from '../model/errors.ts'
import { moduleBeside } from '../model/files.ts'
import { connectDocker } from './docker.ts'
import type { Docker } from './docker.ts'
import { isOver, newRunId, RUN_LABEL, sweep } from './leftovers.ts'
import type { Reach } from './target.ts'

/** What the containers of one run stand on: the engine, a network of their own, and whoever clears up. */
export interface Ground extends AsyncDisposable {
  readonly docker: Docker
  /** Name of the network, and value of the label on everything that the run starts. */
  readonly id: string
  readonly reach: Reach
  /**
   * Address of the container under test in the network, which it keeps when it starts again. Undefined where the
   * network is not on this machine, as with Docker Desktop: then a port is published on the loopback address.
   */
  readonly address?: string
}

/** The address of the container under test, so many above that of the gateway of the network. */
const ADDRESS_OFFSET = 100

/**
 * As on the loopback address: a head that is too large arrives whole there, and is refused with an answer, where in
 * small parts it may be reset before it is through.
 */
const MTU = '65535'

const JANITOR = fileURLToPath(moduleBeside('janitor', import.meta.url))

/** Connects to the engine, removes what dead runs left behind, and makes a network; all of it ends with the run. */
export async function prepareGround(onProgress: (line: string) => void): Promise<Ground> {
  const docker = await connectDocker()
  const left = await sweep(docker, isOver)
  if (left > 0)
    onProgress(`Removed ${left} ${left === 1 ? 'container' : 'containers'} that a killed run had left behind`)
  const id = newRunId()
  const janitor = spawn(process.execPath, [JANITOR, id], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  const dismiss = async (): Promise<void> => {
    const ended = once(janitor, 'exit')
    janitor.stdin.end('done')
    await ended
  }
  try {
    const gateway = await makeNetwork(docker, id)
    const isHere = await canListen(gateway)
    return {
      docker,
      id,
      reach: isHere ? { listen: gateway, name: gateway } : { listen: '127.0.0.1', name: 'host.docker.internal' },
      ...(isHere ? { address: above(gateway, ADDRESS_OFFSET) } : {}),
      [Symbol.asyncDispose]: dismiss,
    }
  } catch (error) {
    await dismiss()
    throw error
  }
}

/** Makes the network in a range that the engine picks; gives the address of this machine in it. */
async function makeNetwork({ client }: Docker, id: string): Promise<string> {
  const { dockerode } = client.container
  const options = { Name: id, Labels: { [RUN_LABEL]: id }, Options: { 'com.docker.network.driver.mtu': MTU } }
  const picked = await dockerode.createNetwork(options)
  const { IPAM } = (await picked.inspect()) as { readonly IPAM: { readonly Config?: readonly { Subnet?: string }[] } }
  const subnet = IPAM.Config?.map(({ Subnet }) => Subnet).find((range) => range?.includes('.'))
  if (subnet === undefined) {
    throw new TrustspecError('ERR_HARNESS', 'The engine gave the network no range of addresses', { network: id })
  }
  // Addresses can be chosen only in a network whose range was asked for.
  await picked.remove()
  const gateway = above(subnet.split('/')[0] ?? '', 1)
  await dockerode.createNetwork({ ...options, IPAM: { Config: [{ Subnet: subnet, Gateway: gateway }] } })
  return gateway
}

function above(address: string, count: number): string {
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + count
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
}

async function canListen(host: string): Promise<boolean> {
  const server = net.createServer().listen(0, host)
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
