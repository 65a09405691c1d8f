// The face in pages of other origins: `<visavis-avatar>` allowed and refused, with a token of the page's own back end,
// and in an iframe.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { openPage, PHONE, screenshot } from './helpers/browser.mjs'
import { freePort, startExample, startHost } from './helpers/host.mjs'
import { startServer } from './helpers/server.mjs'
import { writeSilence } from './helpers/wav.mjs'

/** Of the script, compressed. */
const MOST_SCRIPT_BYTES = 60 * 1024
const ANSWER_MILLIS = 60_000
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

let folder
let silence

before(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'visavis-e2e-embed-'))
  silence = path.join(folder, 'silence.wav')
  writeSilence(silence, 5)
})
after(() => rmSync(folder, { recursive: true, force: true }))

function open(t, url, options = {}) {
  return openPage(t, { url, wav: silence, loop: true, ...options })
}

/** Keeps every event of the element, from now on, as `heard` of the page. */
function listen(page) {
  return page.evaluate(() => {
    window.heard = []
    for (const name of ['state', 'transcript', 'token', 'word', 'latency', 'error'])
      document.addEventListener(`visavis:${name}`, ({ type, detail }) => window.heard.push({ type, detail }))
  })
}

/** Waits until the element was told something of this kind, and gives it. */
async function told(page, type, test) {
  const handle = await page.waitForFunction(
    ([type, test]) => window.heard.findLast((event) => event.type === type && new Function('detail', `return ${test}`)(event.detail)),
    [type, test],
    { timeout: ANSWER_MILLIS },
  )
  return (await handle.jsonValue()).detail
}

const saysParis = `detail.some(({ speaker, text }) => speaker === 'face' && /Paris/.test(text))`

/** How much two pictures of the face, some time apart, differ: mean over the pixels, 0 to 255. */
function movement(page, millis) {
  return page.evaluate(async (millis) => {
    const video = document.querySelector('visavis-avatar').shadowRoot.querySelector('video')
    const shot = () => {
      const canvas = new OffscreenCanvas(128, 128)
      const context = canvas.getContext('2d')
      context.drawImage(video, 0, 0, 128, 128)
      return context.getImageData(0, 0, 128, 128).data
    }
    const first = shot()
    await new Promise((resolve) => setTimeout(resolve, millis))
    const last = shot()
    return first.reduce((sum, value, index) => sum + Math.abs(value - last[index]), 0) / first.length
  }, millis)
}

async function noViolations(page, what) {
  await page.addScriptTag({ path: AXE })
  const { violations } = await page.evaluate(() => window.axe.run(document, { rules: { region: { enabled: false } } }))
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
  assert.deepEqual(found, [], what)
}

async function noCallIsLeft(server) {
  const deadline = Date.now() + 10_000
  while ((await server.status()).calls.active > 0) {
    assert.ok(Date.now() < deadline, 'a call is left')
    await sleep(100)
  }
}

describe('a server that allows one origin', () => {
  let host
  let stranger
  let server

  before(async () => {
    host = await startHost()
    stranger = await startHost()
    server = await startServer(`cors_origins = ["${host.origin}"]\n`)
    for (const site of [host, stranger]) {
      const tag = (attributes, inside = '') =>
        `<script src="${server.url}/embed.js" async></script><main><h1>Host</h1><visavis-avatar ${attributes}>${inside}</visavis-avatar></main>`
      site.pages['/inline'] = tag('avatar="woman" name="Ada" style="width: 420px"')
      site.pages['/bubble'] = tag('avatar="mascot" mode="bubble" lang="zh"')
      site.pages['/full'] = tag('avatar="man" mode="full"')
      site.pages['/slots'] = tag('avatar="man"', '<b slot="poster">A poster</b><button slot="start">Say hello</button>')
      site.pages['/frame'] =
        `<h1>Host</h1><iframe title="Ada" allow="microphone; autoplay" style="width: 400px; height: 560px; border: 0"
           src="${server.url}/embed?avatar=mascot&lang=en&name=Pip"></iframe>`
    }
  })
  after(async () => {
    await server?.stop()
    await host?.stop()
    await stranger?.stop()
  })

  test('a page of that origin has a call by text, with a moving picture and all its events', { timeout: 120_000 }, async (t) => {
    const { page, errors } = await open(t, `${host.origin}/inline`)
    await page.getByRole('heading', { name: 'Talk with Ada' }).waitFor()
    await page.getByText('The browser will ask for your microphone').waitFor()
    await noViolations(page, 'before the call')
    await listen(page)
    await page.getByRole('button', { name: 'Type instead' }).click()
    await told(page, 'visavis:state', `detail.phase === 'listening'`)
    const field = page.getByRole('textbox', { name: 'Message' })
    await field.fill('What is the capital of France?')
    await field.press('Enter')
    await told(page, 'visavis:state', `detail.phase === 'speaking'`)
    assert.ok((await movement(page, 700)) > 0.3, 'the face stands still while it speaks')
    await screenshot({ page }, 'embed-inline')
    await noViolations(page, 'during the call')
    const lines = await told(page, 'visavis:transcript', saysParis)
    assert.equal(lines[0].text, 'What is the capital of France?')
    await told(page, 'visavis:token', 'detail.text')
    await told(page, 'visavis:word', 'detail.word')
    await told(page, 'visavis:latency', 'detail.first_sound_ms !== undefined')
    await page.getByRole('button', { name: 'Hang up' }).click()
    await page.getByRole('heading', { name: 'The call has ended' }).waitFor()
    await noCallIsLeft(server)
    assert.deepEqual(errors, [])
  })

  test('the bubble opens in Chinese, on a phone, takes the microphone, mutes it, and ends the call with itself', { timeout: 90_000 }, async (t) => {
    const { page, errors } = await open(t, `${host.origin}/bubble`, { device: PHONE })
    await listen(page)
    await page.getByRole('button', { name: '面对面聊天' }).click()
    await page.getByRole('button', { name: '开始说话' }).click()
    await told(page, 'visavis:state', `detail.phase === 'listening' && detail.microphone === 'on'`)
    await page.getByRole('button', { name: '麦克风静音' }).click()
    await told(page, 'visavis:state', `detail.microphone === 'muted'`)
    await screenshot({ page }, 'embed-bubble-phone')
    await noViolations(page, 'the bubble')
    await page.keyboard.press('Escape')
    await told(page, 'visavis:state', `detail.phase === 'ended'`)
    assert.equal(await page.getByRole('button', { name: '面对面聊天' }).getAttribute('aria-expanded'), 'false')
    await noCallIsLeft(server)
    assert.deepEqual(errors, [])
  })

  test('a microphone that is refused is told of, and typing goes on', { timeout: 90_000 }, async (t) => {
    const { page } = await open(t, `${host.origin}/full`, { microphone: 'deny' })
    await listen(page)
    await page.getByRole('button', { name: 'Start talking' }).click()
    await page.getByText('The microphone is not allowed').waitFor()
    await told(page, 'visavis:state', `detail.phase === 'listening' && detail.microphone === 'none'`)
    await screenshot({ page }, 'embed-full-refused-microphone')
    await page.evaluate(() => document.querySelector('visavis-avatar').send('<img src=x onerror=alert(1)>'.repeat(5_000)))
    await page.getByText('The message is too long').waitFor()
    assert.equal((await told(page, 'visavis:error', `detail.kind === 'text-too-long'`)).fatal, false)
  })

  test('slots of the page take the place of the poster and of the button', { timeout: 60_000 }, async (t) => {
    const { page } = await open(t, `${host.origin}/slots`)
    await listen(page)
    await page.getByText('A poster').waitFor()
    assert.equal(await page.getByRole('button', { name: 'Start talking' }).isVisible(), false)
    await page.getByRole('button', { name: 'Say hello' }).click()
    await told(page, 'visavis:state', `detail.phase === 'listening'`)
  })

  test('say() is spoken word for word', { timeout: 90_000 }, async (t) => {
    const { features = [] } = await server.status()
    if (!features.includes('say')) return t.skip('this server does not say texts')
    const { page } = await open(t, `${host.origin}/inline`)
    await listen(page)
    await page.getByRole('button', { name: 'Type instead' }).click()
    await told(page, 'visavis:state', `detail.phase === 'listening'`)
    const text = 'The museum opens at ten.'
    assert.equal(await page.evaluate((text) => document.querySelector('visavis-avatar').say(text), text), true)
    await told(page, 'visavis:state', `detail.phase === 'speaking'`)
    await told(page, 'visavis:transcript', `detail.at(-1).text === ${JSON.stringify(text)}`)
  })

  test('an iframe has a call, tells its parent, and obeys it', { timeout: 120_000 }, async (t) => {
    const { page } = await open(t, `${host.origin}/frame`)
    await page.evaluate(() => {
      window.heard = []
      window.addEventListener('message', ({ data, origin }) => window.heard.push({ ...data, origin }))
    })
    const frame = page.frameLocator('iframe')
    await frame.getByRole('button', { name: 'Start talking' }).click()
    await told(page, 'visavis:state', `detail.phase === 'listening'`)
    await page.evaluate(
      (origin) => document.querySelector('iframe').contentWindow.postMessage({ type: 'visavis:send', text: 'What is the capital of France?' }, origin),
      server.url,
    )
    await told(page, 'visavis:transcript', saysParis)
    await screenshot({ page }, 'embed-iframe')
    assert.deepEqual(await page.evaluate(() => [...new Set(window.heard.map(({ origin }) => origin))]), [server.url])
  })

  test('a page of another origin is refused in words, and makes no call', { timeout: 60_000 }, async (t) => {
    await noCallIsLeft(server)
    const before = (await server.status()).calls.total
    const { page } = await open(t, `${stranger.origin}/inline`)
    await listen(page)
    await page.getByRole('button', { name: 'Type instead' }).click()
    await page.getByRole('heading', { name: 'This page may not call the server' }).waitFor()
    await page.getByText(`${stranger.origin} belongs into server.cors_origins`).waitFor()
    assert.equal((await told(page, 'visavis:error', 'detail.fatal')).kind, 'origin-refused')
    await screenshot({ page }, 'embed-refused')
    await noViolations(page, 'the refusal')
    assert.equal((await server.status()).calls.total, before)
  })
})

describe('a server that wants a token', () => {
  const key = 'e2e-key'
  let server
  let ports
  let host

  before(async () => {
    ports = { 'server.mjs': await freePort(), 'server.py': await freePort() }
    host = await startHost()
    const origins = [host.origin, ...Object.values(ports).map((port) => `http://localhost:${port}`)]
    process.env.VISAVIS_API_KEYS = key
    server = await startServer(`cors_origins = ${JSON.stringify(origins)}\n`)
    delete process.env.VISAVIS_API_KEYS
    host.pages['/none'] = `<script src="${server.url}/embed.js" async></script><visavis-avatar avatar="man"></visavis-avatar>`
    host.pages['/old'] = `<script src="${server.url}/embed.js" async></script><visavis-avatar avatar="man" token="ek_old"></visavis-avatar>`
  })
  after(async () => {
    await server?.stop()
    await host?.stop()
  })

  for (const file of ['server.mjs', 'server.py']) {
    test(`gets it from the example ${file}`, { timeout: 120_000 }, async (t) => {
      const example = await startExample(file, { server: server.url, key, port: ports[file] })
      t.after(() => example.stop())
      const { page, errors } = await open(t, example.url)
      await listen(page)
      await page.getByRole('button', { name: 'Talk with Ada' }).click()
      await page.getByRole('button', { name: 'Start talking' }).click()
      await told(page, 'visavis:state', `detail.phase === 'listening'`)
      assert.equal(await page.evaluate(() => document.querySelector('visavis-avatar').send('What is the capital of France?')), true)
      await told(page, 'visavis:transcript', `detail.some(({ speaker, text }) => speaker === 'face' && /\\w/.test(text))`)
      assert.ok(!(await page.content()).includes(key), 'the API key stands in the page')
      await page.getByRole('button', { name: 'Hang up', exact: true }).click()
      await noCallIsLeft(server)
      assert.deepEqual(errors, [])
    })
  }

  test('says what to do without one, and when its time is over', { timeout: 60_000 }, async (t) => {
    const { page } = await open(t, `${host.origin}/none`)
    await page.getByRole('button', { name: 'Type instead' }).click()
    await page.getByRole('heading', { name: 'You may not call from here yet' }).waitFor()
    await page.goto(`${host.origin}/old`)
    await page.getByRole('button', { name: 'Type instead' }).click()
    await page.getByRole('heading', { name: 'Your permission has run out' }).waitFor()
  })
})

test('the script is small', () => {
  const script = readFileSync(new URL('../../web/dist/embed.js', import.meta.url))
  assert.ok(gzipSync(script, { level: 9 }).length <= MOST_SCRIPT_BYTES)
})
