// The helpers that judge: a wrong one would let a wrong server pass. Needs neither server nor browser.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { padWav, readWav, writeWav } from './helpers/wav.mjs'
import { wordErrorRate, wordsOf } from './helpers/wer.mjs'

test('case and punctuation are no word errors', () => {
  assert.equal(wordErrorRate('Ever tried. Ever failed.', 'ever tried, EVER — failed!'), 0)
  assert.deepEqual(wordsOf('It’s 3 o\'clock'), ["it's", '3', "o'clock"])
})

test('a wrong, a missing and an added word are one error each', () => {
  assert.equal(wordErrorRate('one two three four', 'one too three four'), 0.25)
  assert.equal(wordErrorRate('one two three four', 'one three four'), 0.25)
  assert.equal(wordErrorRate('one two three four', 'one two and three four'), 0.25)
  assert.equal(wordErrorRate('one two three four', ''), 1)
})

test('Chinese counts by character', () => {
  assert.equal(wordErrorRate('法国的首都是哪里？', '法国的首都是那里'), 1 / 8)
})

test('padding keeps every sample', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'visavis-wav-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [plain, padded] = ['plain.wav', 'padded.wav'].map((name) => path.join(folder, name))
  const speech = Int16Array.from({ length: 16_000 }, (_, index) => (index % 200) * 100 - 10_000)
  writeWav(plain, 16_000, speech)
  padWav(plain, padded, 2, 1)
  const { rate, samples } = readWav(padded)
  assert.equal(rate, 16_000)
  assert.equal(samples.length, 64_000)
  assert.deepEqual(samples.subarray(32_000, 48_000), speech)
  assert.ok(samples.subarray(0, 32_000).every((sample) => sample === 0))
  writeFileSync(plain, 'no sound at all')
  assert.throws(() => readWav(plain), /is no WAV file/)
})
