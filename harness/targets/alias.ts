import type { Ground } from './ground.ts'
import { RUN_LABEL } from './leftovers.ts'
import type { FrontDoor } from './target.ts'

/** Any image with Node does; this is the one that the images of trustspec are built on. */
const IMAGE = 'node:24.21.0-trixie-slim'

/** Passes connections on to the run, octet by octet: it is the run that holds the key of the certificate. */
const FORWARDER = `
const net = require('node:net')
const [, host, port] = process.argv
net.createServer((socket) => {
  const onward = net.connect(Number(port), host)
  for (const [one, other] of [[socket, onward], [onward, socket]]) one.on('error', () => other.destroy()).pipe(other)
}).listen(443, () => console.log('listening'))
`

/** Puts a container into the network of the run that has the hosts as its names, and passes port 443 on to the run. */
export async function openFrontDoor({ docker, id, reach }: Ground, front: FrontDoor): Promise<void> {
  const { GenericContainer, Wait } = docker.library
  await new GenericContainer(IMAGE)
    .withAutoCleanup(false)
    .withLabels({ [RUN_LABEL]: id })
    .withNetworkMode(id)
    .withNetworkAliases(...front.hosts)
    .withExtraHosts([{ host: 'host.docker.internal', ipAddress: 'host-gateway' }])
    .withCommand(['node', '-e', FORWARDER, reach.name, String(front.port)])
    .withWaitStrategy(Wait.forLogMessage('listening'))
    .start()
}
