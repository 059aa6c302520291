import http from 'node:http'
import { Agent } from 'undici'

/** The least that a proxy in Node does: node:http in front, undici behind, nothing looked at but the hop. */
const [port = '0', origin = ''] = process.argv.slice(2)

const HOP = /^(?:connection|keep-alive|transfer-encoding|host)$/iu
const agent = new Agent({ connections: 1_024, pipelining: 1 })

function without(lines: readonly string[]): string[] {
  return lines.filter((_, at) => !HOP.test(lines[at - (at % 2)] ?? ''))
}

const server = http.createServer((incoming, response) => {
  agent.dispatch(
    {
      origin,
      path: incoming.url ?? '/',
      method: incoming.method ?? 'GET',
      headers: without(incoming.rawHeaders),
      body: incoming.method === 'GET' ? null : incoming,
    },
    {
      onRequestStart(controller) {
        response.on('close', () => {
          if (!response.writableFinished) controller.abort(new Error('The caller went away'))
        })
      },
      onResponseStart(controller, status) {
        const raw = (controller.rawHeaders ?? []) as Buffer[]
        response.writeHead(status, without(raw.map((part) => part.toString('latin1'))))
        response.on('drain', () => {
          controller.resume()
        })
      },
      onResponseData(controller, chunk) {
        if (!response.write(chunk)) controller.pause()
      },
      onResponseEnd() {
        response.end()
      },
      onResponseError() {
        response.destroy()
      },
    },
  )
})
server.listen(Number(port), '127.0.0.1', () => {
  console.log('ready')
})
