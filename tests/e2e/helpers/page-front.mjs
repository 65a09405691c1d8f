// A page that is not the one in the server's binary: files of a folder, with everything else passed on to the server. For
// work on the page (VISAVIS_PAGE=web/dist); media need no passing on.

import { createReadStream, existsSync, statSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }

/** @returns {Promise<{ url: string, close: () => void }>} */
export async function startFront(folder, serverUrl) {
  const front = http.createServer((request, reply) => {
    const name = new URL(request.url, serverUrl).pathname
    const file = path.join(folder, name === '/' ? 'index.html' : path.normalize(name))
    if (existsSync(file) && statSync(file).isFile()) {
      reply.setHeader('Content-Type', TYPES[path.extname(file)] ?? 'application/octet-stream')
      createReadStream(file).pipe(reply)
      return
    }
    const passed = http.request(new URL(request.url, serverUrl), { method: request.method, headers: request.headers }, (answer) => {
      reply.writeHead(answer.statusCode, answer.headers)
      answer.pipe(reply)
    })
    // As a gateway says it.
    passed.on('error', () => reply.writeHead(502).end())
    request.pipe(passed)
  })
  await new Promise((resolve) => front.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${front.address().port}`,
    close: () => {
      front.close()
      front.closeAllConnections()
    },
  }
}
