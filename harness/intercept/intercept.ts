import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import { rootCertificates } from 'node:tls'
import { promisify } from 'node:util'
import { makeAuthority } from './certificates.ts'

/** A proxy that answers for some hosts itself, and what makes a process use it. */
export interface Interception extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly proxyUrl: string
  /** The authority of the run and the public ones, PEM; removed with the interception. */
  readonly caFile: string
  /** Variables by which common HTTP clients find the proxy and the authority. */
  readonly environment: Readonly<Record<string, string>>
  /** Connections to the hosts so far. */
  readonly connects: () => number
}

/** Password of the Java trust store: it guards public certificates, and keytool insists on one. */
const STORE_PASSWORD = 'changeit'

/** Answers for the hosts over TLS, with an authority made for this run; all other hosts are tunnelled untouched. */
export async function startInterception(options: {
  readonly hosts: readonly string[]
  readonly handle: http.RequestListener
}): Promise<Interception> {
  const { hosts, handle } = options
  const { caPem, certPem, keyPem } = makeAuthority(hosts)
  const folder = await mkdtemp(path.join(tmpdir(), 'trustspec-ca-'))
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true })
  }
  // For an end that leaves no time to dispose of anything, such as Ctrl-C.
  process.once('exit', remove)
  const caFile = path.join(folder, 'ca.pem')
  await writeFile(caFile, `${caPem}${rootCertificates.join('\n')}\n`, { mode: 0o600 })
  const sockets = new Set<Duplex>()
  let connects = 0
  const tls = https.createServer({ key: keyPem, cert: certPem }, handle)
  const proxy = http.createServer((_, response) => {
    response.writeHead(501).end('This proxy takes CONNECT alone.\n')
  })
  proxy.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  proxy.on('connect', (request, socket: Socket) => {
    socket.on('error', () => socket.destroy())
    const { host, port } = splitAuthority(request.url ?? '')
    if (hosts.includes(host)) {
      connects += 1
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      tls.emit('connection', socket)
    } else tunnel(host, port, socket, sockets)
  })
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve)
  })
  const { port } = proxy.address() as AddressInfo
  const proxyUrl = `http://127.0.0.1:${port}`
  return {
    proxyUrl,
    caFile,
    environment: { ...variables(proxyUrl, caFile), ...(await javaOptions(folder, caPem, port)) },
    connects: () => connects,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => {
        proxy.close(resolve)
      })
      for (const socket of sockets) socket.destroy()
      await closed
      tls.close()
      process.off('exit', remove)
      remove()
    },
  }
}

/** Variables by which common HTTP clients find an authority. */
export function trustVariables(caFile: string): Readonly<Record<string, string>> {
  return {
    REQUESTS_CA_BUNDLE: caFile,
    CURL_CA_BUNDLE: caFile,
    SSL_CERT_FILE: caFile,
    NODE_EXTRA_CA_CERTS: caFile,
  }
}

function variables(proxyUrl: string, caFile: string): Readonly<Record<string, string>> {
  const near = '127.0.0.1,localhost'
  return {
    HTTPS_PROXY: proxyUrl,
    https_proxy: proxyUrl,
    NO_PROXY: near,
    no_proxy: near,
    ...trustVariables(caFile),
    // Node 24 and later; an older Node asks no proxy, whatever its environment says.
    NODE_USE_ENV_PROXY: '1',
  }
}

/** The same for a JVM, where keytool is there to make its trust store. */
async function javaOptions(folder: string, caPem: string, port: number): Promise<Readonly<Record<string, string>>> {
  const ca = path.join(folder, 'authority.pem')
  const store = path.join(folder, 'trust.p12')
  await writeFile(ca, caPem, { mode: 0o600 })
  const given = ['-importcert', '-noprompt', '-alias', 'trustspec', '-file', ca, '-keystore', store]
  try {
    await promisify(execFile)('keytool', [...given, '-storetype', 'PKCS12', '-storepass', STORE_PASSWORD])
  } catch {
    return {}
  }
  const properties = {
    'https.proxyHost': '127.0.0.1',
    'https.proxyPort': String(port),
    'javax.net.ssl.trustStore': store,
    'javax.net.ssl.trustStorePassword': STORE_PASSWORD,
    'javax.net.ssl.trustStoreType': 'PKCS12',
  }
  return {
    JAVA_TOOL_OPTIONS: Object.entries(properties)
      .map(([name, value]) => `-D${name}=${value}`)
      .join(' '),
  }
}

function splitAuthority(authority: string): { readonly host: string; readonly port: number } {
  const colon = authority.lastIndexOf(':')
  return { host: authority.slice(0, colon).replaceAll(/^\[|\]$/gu, ''), port: Number(authority.slice(colon + 1)) }
}

function tunnel(host: string, port: number, socket: Socket, sockets: Set<Duplex>): void {
  const onward = net.connect({ host, port })
  sockets.add(onward)
  onward.once('close', () => {
    sockets.delete(onward)
    socket.destroy()
  })
  onward.on('error', () => {
    if (socket.writable) socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
  })
  onward.once('connect', () => {
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    socket.pipe(onward).pipe(socket)
  })
}
