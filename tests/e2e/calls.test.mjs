// Real calls: Chromium, the built page and the server with its models. One server serves all tests, one call
// at a time; the last test kills it.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DESKTOP, openPage, PHONE, screenshot } from './helpers/browser.mjs'
import { startServer } from './helpers/server.mjs'
import { RECORDINGS, SPEECH } from './helpers/settings.mjs'
import { padWav, writeSilence } from './helpers/wav.mjs'
import { wordErrorRate } from './helpers/wer.mjs'

/** Silence before the speech: the call connects in it. */
const LEAD_SECONDS = 6
/** Where a reader pauses, a turn may end; a short turn is understood worse than a long one (3 to 11 %). */
const MOST_ERRORS = 0.15
/** From the end of the speech to the last word of its transcript and to the sound of the answer. */
const ANSWER_MILLIS = 60_000
/** Long enough that one frame more or less changes the rate by 1/6 frame a second. */
const MEASURED_SECONDS = 6
/** Root mean square, 1 is full scale: -46 dB, far below speech and far above silence. */
const AUDIBLE = 0.005

let server
let folder
let silence

before(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'visavis-e2e-wav-'))
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

async function noCallIsLeft() {
  const deadline = Date.now() + 10_000
  for (;;) {
    const { calls } = await server.status()
    if (calls.active === 0) return
    assert.ok(Date.now() < deadline, `/api/status still counts ${calls.active} active calls`)
    await sleep(100)
  }
}

/** All that the page shows as said by the user: pauses in the speech make several entries of it. */
function heardIn(entries) {
  const understood = entries.filter(({ speaker, state }) => speaker === 'user' && state !== 'failed')
  return understood.map(({ text }) => text).join(' ')
}

/** Waits for an answer whose text, all in all, satisfies `pattern`. */
function answered(call, pattern = /\w/) {
  const hasIt = (entries) => entries.some(({ speaker, text }) => speaker === 'face' && pattern.test(text))
  return call.untilEntries(`an answer with ${pattern}`, hasIt, ANSWER_MILLIS)
}

/** The microphone's clock and ours differ by less. */
const SLACK_MILLIS = 500

/** Takes the measure of an answer's picture and sound from the moment that it is heard. */
async function assertGoodMedia(t, call) {
  const { last, ...measured } = await call.measure(MEASURED_SECONDS)
  t.diagnostic(JSON.stringify({ ...measured, last }))
  assert.equal(measured.codec, 'video/H264')
  assert.deepEqual([measured.width, measured.height], [512, 512])
  assert.ok(Math.abs(measured.framesPerSecond - 25) <= 0.5, `${measured.framesPerSecond} frames a second instead of 25 +/- 0.5`)
  assert.equal(last.video.freezeCount, 0, 'freezes since the start of the call')
  assert.ok(measured.audioBytes > 0, 'no audio came')
  assert.ok(measured.loudness > AUDIBLE, `the answer is not audible: loudness ${measured.loudness}`)
}

for (const { file, text, wordsEnd } of RECORDINGS) {
  test(`speech is heard, written and answered aloud: ${file}`, { timeout: 360_000 }, async (t) => {
    const recording = path.join(SPEECH, file)
    assert.ok(existsSync(recording), `${recording} is missing; name the folder of the recordings in VISAVIS_SPEECH`)
    const wav = path.join(folder, file)
    padWav(recording, wav, LEAD_SECONDS, 20)
    const speechEnds = LEAD_SECONDS + wordsEnd

    const errorRate = (entries) => wordErrorRate(text, heardIn(entries))
    const isAnswered = (entries) => errorRate(entries) <= MOST_ERRORS && entries.at(-1).speaker === 'face'
    const call = await openPage(t, { url: server.url, wav })
    await call.noteSpeaking()
    // The microphone opens, and the recording begins, within this click.
    const opened = Date.now()
    await call.call()
    assert.ok(Date.now() - opened < LEAD_SECONDS * 1000, 'the call connected too late for the recording')
    await sleep(opened + speechEnds * 1000 - Date.now())
    const entries = await call.untilEntries(`words of the user with at most ${100 * MOST_ERRORS} % errors, then an answer`, isAnswered, ANSWER_MILLIS)
    t.diagnostic(`word error rate ${(100 * errorRate(entries)).toFixed(1)} %: ${heardIn(entries)}`)
    // The answer comes within a breath and may be two words long.
    await call.spokenAfter(opened + speechEnds * 1000 - SLACK_MILLIS)
    await call.type('Tell me a story about a fox and a bear, in five sentences.')
    await call.phase('speaking')
    await screenshot(call, `call-${path.basename(file, '.wav')}`)
    await assertGoodMedia(t, call)
    assert.deepEqual(call.errors, [])
  })
}

test('a typed question is answered, in text that streams in and aloud, without a move of the layout', { timeout: 120_000 }, async (t) => {
  const call = await quietPage(t)
  const before = await call.stageBox()
  await call.call()
  assert.deepEqual(await call.stageBox(), before, 'the stage moved when the picture came')
  await call.type('What is the capital of France?')
  const partial = await answered(call)
  assert.equal(partial.at(-1).state, 'open', 'the first words were shown only when the answer was complete')
  await call.phase('speaking')
  await answered(call, /Paris/)
  await screenshot(call, 'call-desktop')
  await assertGoodMedia(t, call)
  assert.equal(heardIn(await call.entries()), 'What is the capital of France?')
  assert.deepEqual(call.errors, [])
})

test('a message typed while the face speaks stops it and is answered', { timeout: 120_000 }, async (t) => {
  const call = await quietPage(t)
  await call.call()
  await call.type('Tell me a long story about a fox and a bear, in ten sentences.')
  // Of an answer of which nothing was heard, nothing would be left.
  await call.event(`({ type, start }) => type === 'visavis.word' && start > 0`)
  await call.type('Stop. What is two plus two? Answer with one word.')
  const isCut = (entries) => entries[1]?.state === 'cut' && entries[3]?.speaker === 'face' && entries[3].text !== ''
  const entries = await call.untilEntries('the first answer cut, the second there', isCut, ANSWER_MILLIS)
  assert.deepEqual(
    entries.map(({ speaker }) => speaker),
    ['user', 'face', 'user', 'face'],
  )
  assert.deepEqual(call.errors, [])
})

test('mute is shown, and hanging up frees the call', { timeout: 60_000 }, async (t) => {
  const call = await quietPage(t)
  await call.call()
  assert.equal((await server.status()).calls.active, 1)
  const mute = call.page.getByRole('button', { name: 'Mute' })
  await mute.click()
  assert.equal(await mute.getAttribute('aria-pressed'), 'true')
  await call.hangUp()
  await noCallIsLeft()
  await call.words('Call ended')
  assert.deepEqual(call.errors, [])
})

test('closing the page frees the call', { timeout: 60_000 }, async (t) => {
  const call = await quietPage(t)
  await call.call()
  await call.page.close({ runBeforeUnload: true })
  await noCallIsLeft()
})

test('a refused microphone is said in clear words, and typing still works', { timeout: 120_000 }, async (t) => {
  const call = await quietPage(t, { microphone: 'deny' })
  await call.call()
  await call.words('The microphone is not allowed')
  await call.words('You can type in the meantime')
  await screenshot(call, 'microphone-refused')
  await call.type('What is the capital of France?')
  await answered(call, /Paris/)
  await call.phase('speaking')
  assert.deepEqual(call.errors, [])
})

test('a full server is said in clear words, with when to try again', { timeout: 60_000 }, async (t) => {
  const first = await quietPage(t)
  await first.call()
  const second = await quietPage(t)
  await second.pressCall()
  await second.words('The server is full')
  const retry = second.page.getByRole('button', { name: /^Try again in \d+ s$/ })
  assert.ok(await retry.isDisabled())
  await screenshot(second, 'server-full')
  // The browser itself reports the status of the reply.
  assert.deepEqual(
    second.errors.filter((error) => !error.includes('503')),
    [],
  )
  await first.hangUp()
  await noCallIsLeft()
  await second.page.getByRole('button', { name: 'Try again', exact: true }).click({ timeout: 30_000 })
  await second.phase('listening', 'speaking')
})

test('the page serves a phone: nothing overflows, targets are large, the call works', { timeout: 120_000 }, async (t) => {
  const call = await quietPage(t, { device: PHONE, colorScheme: 'light' })
  await call.call()
  await call.type('What is the capital of France?')
  await call.phase('speaking')
  await answered(call, /Paris/)
  await screenshot(call, 'call-phone')
  const { overflow, small } = await call.page.evaluate(() => ({
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    small: [...document.querySelectorAll('button')]
      .map((button) => ({ name: button.ariaLabel ?? button.textContent, box: button.getBoundingClientRect() }))
      .filter(({ box }) => box.width < 44 || box.height < 44),
  }))
  assert.equal(overflow, 0)
  assert.deepEqual(small, [])
  assert.deepEqual(call.errors, [])
})

test('a second call on the same page shows its picture too', { timeout: 60_000 }, async (t) => {
  const call = await quietPage(t, { device: DESKTOP, colorScheme: 'light' })
  await call.call()
  await call.hangUp()
  await noCallIsLeft()
  await call.page.getByRole('button', { name: 'Call again' }).click()
  await call.phase('listening', 'speaking')
  await call.page.waitForFunction(() => document.querySelector('video.shown')?.videoWidth === 512)
  const { framesPerSecond } = await call.measure(3)
  assert.ok(framesPerSecond > 20, `${framesPerSecond} frames a second`)
  assert.deepEqual(call.errors, [])
})

// The last one: no server is left after it.
test('a server that dies in mid-call is said in clear words, and so is that it stays away', { timeout: 90_000 }, async (t) => {
  const call = await quietPage(t)
  await call.call()
  await server.kill()
  await call.phase('reconnecting')
  await call.words('Connection lost')
  await call.words('The conversation goes on where it was')
  await screenshot(call, 'connection-lost')
  await call.hangUp()
  await call.page.getByRole('button', { name: 'Call again' }).click()
  await call.words('The server cannot be reached')
})
