// A conversation in each language that is at home here: asked aloud by one voice, answered by another, all on this machine.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { openPage, screenshot } from './helpers/browser.mjs'
import { startServer } from './helpers/server.mjs'
import { BINARY } from './helpers/settings.mjs'
import { joinWavs } from './helpers/wav.mjs'
import { wordErrorRate } from './helpers/wer.mjs'

/** The call connects in the silence before the first question; each is answered in the silence after it. */
const LEAD_SECONDS = 6
const PAUSE_SECONDS = 9
/** A model that is first needed now is loaded before it answers. */
const ANSWER_MILLIS = 60_000

/**
 * `known`: what the small model surely answers; `ours`: what of an answer is in the question's language; `most`: errors in
 * the transcript, by word or character.
 */
const CONVERSATIONS = [
  {
    locale: 'zh-CN',
    voice: 'kokoro/zf_xiaoyi',
    questions: ['中国的首都是哪里？', '天空是什么颜色的？'],
    known: [/北京/],
    ours: /\p{Script=Han}/u,
    most: 0.15,
  },
  {
    locale: 'en-US',
    voice: 'kokoro/bf_emma',
    questions: ['What is the capital of France?', 'How many days are there in a week?'],
    known: [/Paris/],
    ours: /[a-z]/i,
    most: 0.1,
  },
]

let server
let folder

before(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'visavis-e2e-languages-'))
  server = await startServer()
})

after(async () => {
  await server?.stop()
  if (folder) rmSync(folder, { recursive: true, force: true })
})

function say(voice, text, file) {
  execFileSync(BINARY, ['say', '--voice', voice, '--out', file, text], { stdio: ['ignore', 'ignore', 'inherit'] })
  return file
}

for (const { locale, voice, questions, known, ours, most } of CONVERSATIONS) {
  test(`a conversation, heard, understood and answered aloud: ${locale}`, { timeout: 240_000 }, async (t) => {
    const spoken = questions.map((text, index) => say(voice, text, path.join(folder, `${locale}-${index}.wav`)))
    const wav = path.join(folder, `${locale}.wav`)
    joinWavs(spoken, wav, LEAD_SECONDS, PAUSE_SECONDS)
    const call = await openPage(t, { url: server.url, wav, locale })
    await call.noteSpeaking()
    const opened = Date.now()
    await call.call()
    assert.ok(Date.now() - opened < LEAD_SECONDS * 1000, 'the call connected too late for the questions')
    const said = (entries, speaker) => entries.filter((entry) => entry.speaker === speaker && entry.state !== 'open').map(({ text }) => text)
    const isOver = (entries) => said(entries, 'user').length >= questions.length && said(entries, 'face').length >= questions.length
    const entries = await call.untilEntries('both questions and their answers', isOver, ANSWER_MILLIS)
    const rate = wordErrorRate(questions.join(' '), said(entries, 'user').join(' '))
    t.diagnostic(`${(100 * rate).toFixed(1)} % errors: ${JSON.stringify(entries.map(({ speaker, text }) => [speaker, text]))}`)
    assert.ok(rate <= most, `${(100 * rate).toFixed(1)} % errors in ${said(entries, 'user')}`)
    said(entries, 'face').forEach((text, index) => {
      assert.match(text, ours, 'answered in another language')
      assert.match(text, known[index] ?? ours)
    })
    await call.spokenAfter(opened + LEAD_SECONDS * 1000)
    await screenshot(call, `conversation-${locale}`)
    const { audio } = await call.stats()
    assert.ok(Math.sqrt(audio.totalAudioEnergy / audio.totalSamplesDuration) > 0.005, 'the answers are not audible')
    assert.deepEqual(call.errors, [])
  })
}
