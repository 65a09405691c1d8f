// A web site's own back end, without dependencies: it keeps the API key, and hands its page short-lived tokens.
//
//   VISAVIS_SERVER=https://your.server VISAVIS_API_KEY=... node examples/embed/server.mjs
//
// then open http://localhost:3000. In your own site, ask who the visitor is before you answer /visavis-token.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const server = (process.env.VISAVIS_SERVER ?? 'http://localhost:8080').replace(/\/$/, '')
const key = process.env.VISAVIS_API_KEY ?? ''
const page = readFileSync(new URL('index.html', import.meta.url), 'utf8').replaceAll('{{SERVER}}', server)

/** A token for ten minutes. What stands in `session` holds for calls made with it. */
async function makeToken() {
  const reply = await fetch(`${server}/v1/realtime/client_secrets`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      expires_after: { anchor: 'created_at', seconds: 600 },
      session: { type: 'realtime', instructions: 'You are Ada, the guide of a harbour museum. It is open from ten to six. Be brief.' },
    }),
    signal: AbortSignal.timeout(10_000),
  })
  const body = await reply.json()
  if (!reply.ok) throw new Error(`visavis said ${reply.status}: ${body.error?.message}`)
  return { value: body.value, expires_at: body.expires_at }
}

/** A page of another origin cannot read the answer, but it must not use up tokens either. */
const isOurOwn = (request) => [undefined, 'same-origin'].includes(request.headers['sec-fetch-site'])

async function answer(request) {
  if (request.method === 'GET' && request.url === '/') return [200, 'text/html; charset=utf-8', page]
  if (request.url !== '/visavis-token') return [404, 'text/plain', 'There is nothing here.']
  if (request.method !== 'POST') return [405, 'text/plain', 'Use POST.']
  if (!isOurOwn(request)) return [403, 'text/plain', 'Tokens are for pages of this site.']
  return [200, 'application/json', JSON.stringify(await makeToken())]
}

const site = createServer(async (request, response) => {
  const [status, type, body] = await answer(request).catch((error) => {
    console.error(error)
    return [502, 'text/plain', 'No token could be made; the log of this server says why.']
  })
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(body)
})
site.listen(Number(process.env.PORT ?? 3000), 'localhost', () => console.log(`listening on http://localhost:${site.address().port}`))
