// A web site that is not the server's: pages of another origin, to put the face into.

import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const EXAMPLES = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../examples/embed')

/** Serves `pages`, bodies by their path; they can be set until they are asked for. `origin` has no slash at its end. */
export async function startHost(pages = {}) {
  const site = createServer((request, response) => {
    const body = pages[new URL(request.url, 'http://host').pathname]
    const frame = `<!doctype html><html lang="en"><meta charset="utf-8" /><meta name="viewport" content="width=device-width, initial-scale=1" /><title>A host page</title><link rel="icon" href="data:," />${body}</html>`
    response.writeHead(body === undefined ? 404 : 200, { 'Content-Type': 'text/html; charset=utf-8' }).end(body === undefined ? '' : frame)
  })
  await new Promise((resolve) => site.listen(0, 'localhost', resolve))
  return {
    pages,
    origin: `http://localhost:${site.address().port}`,
    stop: () =>
      new Promise((resolve) => {
        site.close(resolve)
        site.closeAllConnections()
      }),
  }
}

/** Runs a back end of the examples (`server.mjs` or `server.py`) on a port. */
export async function startExample(file, { server, key, port }) {
  const environment = { ...process.env, VISAVIS_SERVER: server, VISAVIS_API_KEY: key, PORT: String(port) }
  const child = spawn(file.endsWith('.py') ? 'python3' : process.execPath, [path.join(EXAMPLES, file)], { env: environment })
  let output = ''
  const url = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk
        const address = /listening on (\S+)/.exec(output)
        if (address) resolve(address[1])
      })
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${file} ended (${code}): ${output}`)))
  })
  return { url, stop: () => child.kill() }
}

/** A port that nobody listens on now. */
export async function freePort() {
  const probe = createServer()
  await new Promise((resolve) => probe.listen(0, 'localhost', resolve))
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return port
}
