// The page around the call: what can be set, what can go wrong, and for whom it is made; in a real Chromium, on the built
// page and the server with its models.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { assertAccessible } from './helpers/accessibility.mjs'
import { openPage, PHONE, screenshot } from './helpers/browser.mjs'
import { startServer } from './helpers/server.mjs'
import { writeSilence } from './helpers/wav.mjs'

const ANSWER_MILLIS = 60_000
/** Of all that a first visit loads; what the settings need is not among it. */
const MOST_SCRIPT_BYTES = 250_000
/** Mean difference of two pictures, of 255: a face that blinks and moves stays below, another face is far above. */
const SAME_FACE = 12
/** See tests/fixtures/README.md. */
const PHOTO = fileURLToPath(new URL('../fixtures/astronaut.jpg', import.meta.url))

let server
let folder
let silence

before(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'visavis-e2e-page-'))
  silence = path.join(folder, 'silence.wav')
  writeSilence(silence, 5)
  server = await startServer()
})

after(async () => {
  await server?.stop()
  if (folder) rmSync(folder, { recursive: true, force: true })
})

/** A page whose microphone hears nothing. */
function quietPage(t, options = {}) {
  return openPage(t, { url: server.url, wav: silence, loop: true, ...options })
}

function answers(entries) {
  return entries.filter(({ speaker, state, text }) => speaker === 'face' && state !== 'open' && text !== '')
}

/** The picture that is shown now, small and grey. */
function picture(call) {
  return call.page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 32, height: 32 })
    const context = canvas.getContext('2d')
    context.drawImage(document.querySelector('.stage video'), 0, 0, 32, 32)
    return [...context.getImageData(0, 0, 32, 32).data]
  })
}

const difference = (one, other) => one.reduce((sum, value, index) => sum + Math.abs(value - other[index]), 0) / one.length

/** What the browser itself reports of replies that a test provoked is no error of the page. */
const ofThePage = (errors) => errors.filter((error) => !/Failed to load resource|ERR_/.test(error))

test('a first visit loads little, is ready at once, and explains the microphone before the browser asks', { timeout: 60_000 }, async (t) => {
  const scripts = []
  const call = await quietPage(t, {
    prepare: async (page) => page.on('response', (reply) => reply.url().endsWith('.js') && scripts.push(reply)),
  })
  await call.words('Your browser will ask for the microphone')
  const ready = await call.page.evaluate(() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd)
  const bodies = await Promise.all(scripts.map((reply) => reply.body()))
  const bytes = bodies.reduce((sum, body) => sum + gzipSync(body).length, 0)
  t.diagnostic(`interactive after ${Math.round(ready)} ms; ${scripts.length} scripts, ${bytes} bytes gzipped`)
  assert.ok(bytes > 0 && bytes <= MOST_SCRIPT_BYTES, `${bytes} bytes of script`)
  assert.ok(!bodies.some((body) => body.includes('ant-slider')), 'Ant Design is loaded before it is used')
  assert.deepEqual(call.errors, [])
})

test('the picture is there soon after the call is pressed, and nothing moves from then on', { timeout: 120_000 }, async (t) => {
  const call = await quietPage(t)
  await call.page.evaluate(() => {
    const video = document.querySelector('.stage video')
    document.addEventListener('click', () => (window.pressedAt ??= performance.now()), true)
    video.requestVideoFrameCallback((now) => {
      window.firstPictureAt = now
      window.shifts = []
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          // Moves that answer a click or a key are meant.
          if (entry.hadRecentInput) continue
          window.shifts.push(entry.sources.map(({ node, previousRect: from, currentRect: to }) => `${node?.parentElement?.className}: ${from?.x},${from?.y} to ${to?.x},${to?.y}`))
        }
      }).observe({ type: 'layout-shift' })
    })
  })
  await call.call()
  const millis = await call.page.evaluate(() => window.firstPictureAt - window.pressedAt)
  t.diagnostic(`from Call to the first picture: ${Math.round(millis)} ms`)
  assert.ok(millis < 5_000)
  // Key by key: what moves because of that is meant to.
  await call.message.pressSequentially('Tell me a story about a fox and a bear, in four sentences.')
  await call.message.press('Enter')
  await call.page.locator('.subtitle mark').waitFor({ timeout: ANSWER_MILLIS })
  await screenshot(call, 'page-subtitle')
  await call.untilEntries('an answer to its end', (entries) => answers(entries).length > 0, ANSWER_MILLIS)
  await call.phase('listening')
  assert.deepEqual(await call.page.evaluate(() => window.shifts), [])
  assert.deepEqual(call.errors, [])
})

test('what is set applies to the running call, and to the next one', { timeout: 120_000 }, async (t) => {
  const call = await quietPage(t)
  const { page } = call
  await call.call()
  const before = await picture(call)
  await call.openSettings()
  await page.getByRole('radio', { name: 'Mara' }).check({ force: true })
  await call.event(`({ type, session }) => type === 'session.updated' && session.avatar.character === 'woman'`)
  await page.waitForFunction(() => document.querySelector('.tile.chosen')?.textContent.includes('Mara'))
  await call.untilPicture((now) => difference(before, now) > SAME_FACE, picture)
  await page.getByRole('combobox', { name: 'Voice' }).selectOption({ index: 2 })
  const voice = await call.event(`({ type, session }) => type === 'session.updated' && session.audio.output.voice !== 'piper-joe'`)
  await page.getByRole('textbox', { name: 'Name' }).fill('Ada')
  await call.event(`({ type, session }) => type === 'session.updated' && session.instructions.startsWith('Your name is Ada.')`)
  await screenshot(call, 'page-settings')
  await call.closeSettings()
  await call.hangUp()
  await page.evaluate(() => (window.e2eEvents.length = 0))
  await page.getByRole('button', { name: 'Call again' }).click()
  const { session } = await call.event(`({ type }) => type === 'session.created'`)
  assert.deepEqual([session.avatar.character, session.audio.output.voice], ['woman', voice.session.audio.output.voice])
  await call.hangUp()
  await call.openSettings()
  await page.getByRole('button', { name: 'Reset to the server’s defaults' }).click()
  await page.getByRole('button', { name: 'Reset', exact: true }).click()
  await page.waitForFunction(() => document.querySelector('.tile.chosen')?.textContent.includes('Rafi'))
  assert.deepEqual(ofThePage(call.errors), [])
})

test('a photo becomes the face of the running call, until it is deleted', { timeout: 120_000 }, async (t) => {
  const call = await quietPage(t)
  const { page } = call
  await call.call()
  const before = await picture(call)
  await call.openSettings()
  await page.locator('.settings input[type=file]').setInputFiles(PHOTO)
  const { session } = await call.event(`({ type, session }) => type === 'session.updated' && session.avatar.character.startsWith('sent_')`)
  const tile = page.locator('.tile.chosen').filter({ hasText: 'My portrait 1' })
  await tile.locator('img').waitFor()
  await page.waitForFunction(() => document.querySelector('.tile.chosen img').naturalWidth > 0)
  await call.untilPicture((now) => difference(before, now) > SAME_FACE, picture)
  await screenshot(call, 'page-portrait-chosen')
  await call.closeSettings()
  await call.type('What is the capital of France?')
  await call.phase('speaking')
  await screenshot(call, 'page-portrait')
  await call.untilEntries('an answer to its end', (entries) => answers(entries).length > 0, ANSWER_MILLIS)
  await call.openSettings()
  await page.getByRole('button', { name: 'Delete My portrait 1' }).click()
  await tile.waitFor({ state: 'detached' })
  await call.event(`({ type, session }) => type === 'session.updated' && session.avatar.character === 'man'`)
  assert.equal((await fetch(`${server.url}/v1/avatars/${session.avatar.character}/picture`)).status, 404)
  await call.closeSettings()
  assert.deepEqual(ofThePage(call.errors), [])
})

test('a photo without a face is refused in words', { timeout: 60_000 }, async (t) => {
  const call = await quietPage(t)
  await call.openSettings()
  const upload = call.page.locator('.settings input[type=file]')
  await upload.setInputFiles({ name: 'x.png', mimeType: 'image/png', buffer: Buffer.from('no picture at all') })
  await call.page.locator('.settings [role=alert]').waitFor()
  assert.match(await call.page.locator('.settings [role=alert]').innerText(), /not a picture|No portrait could be made/)
  await screenshot(call, 'page-photo-refused')
  assert.deepEqual(ofThePage(call.errors), [])
})

test('the transcript is copied, downloaded and deleted', { timeout: 120_000 }, async (t) => {
  const call = await quietPage(t)
  const { page } = call
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await call.call()
  await call.type('What is the capital of France?')
  await call.untilEntries('an answer to its end', (entries) => answers(entries).length > 0, ANSWER_MILLIS)
  const menu = () => page.getByRole('button', { name: 'Transcript and conversation' }).click()
  await menu()
  await screenshot(call, 'page-transcript-menu')
  await page.getByRole('button', { name: 'Copy the transcript' }).click()
  await call.words('The transcript is on the clipboard.')
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /You: What is the capital of France\?\n.*Rafi: /)
  for (const [name, pattern] of [
    ['Download as text', /You: What is the capital of France\?/],
    ['Download as JSON', /"speaker": "user"/],
    ['Download as subtitles (WebVTT)', /^WEBVTT\n[^]*--> [^]*<v Rafi>/],
  ]) {
    await menu()
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()])
    assert.match(readFileSync(await download.path(), 'utf8'), pattern)
  }
  await menu()
  const deleted = page.waitForRequest((request) => request.method() === 'DELETE' && request.url().includes('/v1/realtime/conversations/'))
  await page.getByRole('button', { name: 'Delete the conversation' }).click()
  await screenshot(call, 'page-delete')
  await page.getByRole('button', { name: 'Delete', exact: true }).click()
  await deleted
  await call.words('The conversation is deleted.')
  assert.deepEqual(await call.entries(), [])
  await call.phase('idle')
  assert.deepEqual(ofThePage(call.errors), [])
})

test('a server that was restarted in mid-call: the conversation goes on where it was', { timeout: 180_000 }, async (t) => {
  const call = await quietPage(t)
  await call.call()
  await call.type('What is the capital of France?')
  const before = await call.untilEntries('an answer to its end', (entries) => answers(entries).length > 0, ANSWER_MILLIS)
  await call.phase('listening')
  await call.page.evaluate(() => (window.e2eEvents.length = 0))
  await server.kill()
  await call.phase('reconnecting')
  await screenshot(call, 'page-reconnecting')
  assert.deepEqual(await call.entries(), before, 'the transcript did not stay')
  await server.restart()
  await call.phase('listening')
  // What the model is told of before comes as items of the past.
  const { item } = await call.event(`({ type, item }) => type === 'conversation.item.added' && item.id.startsWith('past_')`)
  assert.match(JSON.stringify(item), /capital of France/)
  await call.type('What is two plus two?')
  const entries = await call.untilEntries('a further answer', (entries) => answers(entries).length > answers(before).length, ANSWER_MILLIS)
  assert.deepEqual(
    entries.filter(({ speaker }) => speaker === 'user').map(({ text }) => text),
    ['What is the capital of France?', 'What is two plus two?'],
  )
  assert.deepEqual(ofThePage(call.errors), [])
})

test('a microphone that goes away in mid-call is said, and typing goes on', { timeout: 120_000 }, async (t) => {
  const call = await quietPage(t, {
    // Nobody can pull a plug here: the page's track ends as it does then.
    prepare: (page) =>
      page.addInitScript(() => {
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
        navigator.mediaDevices.getUserMedia = async (wanted) => {
          const stream = await open(wanted)
          window.e2eTrack = stream.getAudioTracks()[0]
          return stream
        }
      }),
  })
  await call.call()
  await call.page.evaluate(() => {
    window.e2eTrack.stop()
    window.e2eTrack.dispatchEvent(new Event('ended'))
  })
  await call.words('The microphone was unplugged')
  await call.page.getByRole('img', { name: 'No microphone' }).waitFor()
  await screenshot(call, 'page-microphone-lost')
  await call.type('What is the capital of France?')
  await call.untilEntries('an answer', (entries) => entries.some(({ speaker, text }) => speaker === 'face' && text !== ''), ANSWER_MILLIS)
  // Another one is chosen.
  await call.page.getByRole('button', { name: 'Choose the microphone' }).click()
  await call.page.getByRole('radio').nth(1).check()
  await call.page.getByRole('button', { name: 'Mute' }).waitFor()
  assert.deepEqual(call.errors, [])
})

test('push to talk: the microphone is heard while the button or the space key is held', { timeout: 60_000 }, async (t) => {
  const call = await quietPage(t)
  const { page } = call
  await call.call()
  await page.getByRole('button', { name: 'Choose the microphone' }).click()
  await page.getByRole('checkbox', { name: /^Push to talk/ }).check()
  await page.keyboard.press('Escape')
  await call.event(`({ type, session }) => type === 'session.updated' && session.audio.input.turn_detection === null`)
  const hold = page.locator('button.hold')
  assert.equal(await hold.getAttribute('aria-pressed'), 'false')
  await page.locator('h1').click()
  await page.keyboard.down('Space')
  assert.equal(await hold.getAttribute('aria-pressed'), 'true')
  await screenshot(call, 'page-push-to-talk')
  await page.keyboard.up('Space')
  assert.equal(await hold.getAttribute('aria-pressed'), 'false')
  // In a text it is a space.
  await call.message.fill('a')
  await call.message.press('Space')
  assert.equal(await call.message.inputValue(), 'a ')
  assert.deepEqual(call.errors, [])
})

const PASTED = [
  ['markup', '<img src=x onerror="document.title=\'hacked\'"><script>document.title="hacked"</script> & <b>bold</b>'],
  ['right to left', 'שלום, מה שלומך? مرحبا كيف حالك'],
  ['emoji', '👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 ❤️‍🔥 ' + '😀'.repeat(200)],
]

test('whatever is pasted is shown as text; what is too long is said, not sent', { timeout: 120_000 }, async (t) => {
  const call = await quietPage(t)
  const { page } = call
  await call.call()
  await call.message.fill('x'.repeat(100_000))
  await page.getByText('96,000 characters too many: 4,000 at most.').waitFor()
  await screenshot(call, 'page-too-long')
  await call.message.press('Enter')
  assert.deepEqual(await call.entries(), [])
  for (const [, text] of PASTED) {
    await call.type(text)
    await call.untilEntries('the text as it was pasted', (entries) => entries.some((entry) => entry.text === text), 10_000)
  }
  assert.equal(await page.title(), 'visavis')
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth), 0)
  await screenshot(call, 'page-pasted')
  assert.deepEqual(call.errors, [])
})

test('a server that asks for a key gets it', { timeout: 60_000 }, async (t) => {
  const call = await quietPage(t, {
    prepare: (page) =>
      page.route('**/v1/realtime/calls', (route) => {
        if (route.request().headers().authorization === 'Bearer sesame') return route.continue()
        return route.fulfill({ status: 401, json: { error: { message: 'no', type: 'invalid_request_error', code: 'invalid_api_key', param: null } } })
      }),
  })
  await call.pressCall()
  await call.words('This server asks for a key')
  await screenshot(call, 'page-key')
  await call.page.getByLabel('Access key').fill('sesame')
  await call.page.getByRole('button', { name: 'Use this key' }).click()
  await call.phase('listening', 'speaking')
  assert.deepEqual(ofThePage(call.errors), [])
})

test('a browser without WebRTC is told so', { timeout: 60_000 }, async (t) => {
  const call = await quietPage(t, { prepare: (page) => page.addInitScript(() => delete window.RTCPeerConnection) })
  await call.pressCall()
  await call.words('This browser cannot make calls')
  await assertAccessible(call, 'without-webrtc')
  assert.deepEqual(call.errors, [])
})

test('a browser without H.264 is told so, and the call goes on with sound alone', { timeout: 120_000 }, async (t) => {
  const take = () => (RTCRtpReceiver.getCapabilities = () => ({ codecs: [{ mimeType: 'video/VP8' }] }))
  const call = await quietPage(t, { prepare: (page) => page.addInitScript(take) })
  await call.pressCall()
  await call.words('You can hear the face, but not see it move')
  await call.phase('listening')
  await call.type('What is the capital of France?')
  await call.phase('speaking')
  await assertAccessible(call, 'without-h264')
  await screenshot(call, 'page-without-h264')
  assert.equal(await call.page.evaluate(() => document.querySelector('.stage video').srcObject.getVideoTracks().length), 0)
  await call.untilEntries('an answer', (entries) => answers(entries).some(({ text }) => text.includes('Paris')), ANSWER_MILLIS)
  assert.deepEqual(call.errors, [])
})

test('a page that cannot load is not blank', { timeout: 60_000 }, async (t) => {
  const call = await quietPage(t, { prepare: (page) => page.route('**/assets/*.js', (route) => route.abort()) })
  await call.words('This page did not load')
  await screenshot(call, 'page-failed')
})

test('settings that cannot load are said to be missing, and load when they can', { timeout: 60_000 }, async (t) => {
  const call = await quietPage(t)
  await call.page.route('**/assets/SettingsDrawer*.js', (route) => route.abort())
  await call.page.getByRole('button', { name: 'Settings' }).click()
  await call.words('The settings did not load')
  await call.page.unroute('**/assets/SettingsDrawer*.js')
  await call.openSettings()
})

test('the page speaks Chinese where the browser does, and English at a click', { timeout: 60_000 }, async (t) => {
  const call = await quietPage(t, { locale: 'zh-CN' })
  const { page } = call
  await call.words('面对面聊天')
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-Hans')
  await call.call()
  await call.openSettings()
  const shown = (await page.locator('body').innerText()).split('\n').filter((line) => /[a-z]{3}/i.test(line))
  // Names of faces, voices and models, and what the server says of itself; hints that name file formats hold Chinese too.
  const names = new Set(await page.locator('select option').evaluateAll((all) => all.map((one) => one.textContent.trim())))
  const isNamed = (line) => names.has(line.trim()) || /^(visavis|English|Mara|Rafi|Momo)$/.test(line)
  const english = shown.filter((line) => !/[\u4e00-\u9fff]/.test(line) && !isNamed(line))
  assert.deepEqual(english, [])
  await assertAccessible(call, 'settings-zh')
  await call.closeSettings()
  await page.getByRole('button', { name: 'English' }).click()
  await call.words('Conversation')
  await page.reload()
  await call.words('Talk face to face')
  assert.deepEqual(call.errors, [])
})

for (const colorScheme of ['light', 'dark']) {
  for (const [size, device] of [
    ['desktop', { viewport: { width: 1440, height: 900 } }],
    ['phone', PHONE],
  ]) {
    test(`everybody can use it: ${size}, ${colorScheme}`, { timeout: 120_000 }, async (t) => {
      const call = await quietPage(t, { colorScheme, device })
      const { page } = call
      const look = (name) => assertAccessible(call, `${name}-${size}-${colorScheme}`)
      await call.words('Talk face to face')
      await look('idle')
      await call.call()
      await call.type('Tell me a story about a fox and a bear, in four sentences.')
      await page.locator('.subtitle mark').waitFor({ timeout: ANSWER_MILLIS })
      await look('call')
      await page.locator('.quality button').focus()
      await page.locator('.figures').waitFor()
      await look('quality')
      await page.getByRole('button', { name: 'Choose the microphone' }).click()
      await look('devices')
      await page.keyboard.press('Escape')
      await call.openSettings()
      await look('settings')
      await page.locator('.settings .body').evaluate((body) => (body.scrollTop = body.scrollHeight))
      await look('settings-end')
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth), 0)
      await call.closeSettings()
      await call.hangUp()
      await look('ended')
      assert.deepEqual(call.errors, [])
    })
  }
}

test('a call is made, answered and ended with the keyboard alone', { timeout: 120_000 }, async (t) => {
  const call = await quietPage(t)
  const { page } = call
  const tabTo = async (name) => {
    for (let step = 0; step < 30; step++) {
      await page.keyboard.press('Tab')
      const focused = await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent.trim())
      if (focused === name) return
    }
    throw new Error(`${name} is not reached by Tab`)
  }
  await tabTo('Call')
  await page.keyboard.press('Enter')
  await call.phase('listening')
  await tabTo('Message')
  await page.keyboard.type('What is the capital of France?')
  await page.keyboard.press('Enter')
  await call.phase('speaking')
  await page.keyboard.press('Tab')
  await tabTo('Hang up')
  await page.keyboard.press('Space')
  await call.phase('ended')
  assert.deepEqual(call.errors, [])
})
