// WAV files for Chromium's fake microphone: 16-bit PCM, one channel, with silence around the speech.

import { readFileSync, writeFileSync } from 'node:fs'

/**
 * Reads 16-bit PCM with one channel.
 * @returns {{ rate: number, samples: Int16Array, seconds: number }}
 */
export function readWav(file) {
  const bytes = readFileSync(file)
  const fail = (why) => new Error(`${file} ${why}; the fake microphone needs 16-bit PCM with one channel`)
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') throw fail('is no WAV file')
  let format = null
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = bytes.toString('latin1', at, at + 4)
    const start = at + 8
    const end = Math.min(start + bytes.readUInt32LE(at + 4), bytes.length)
    if (name === 'fmt ') {
      format = { channels: bytes.readUInt16LE(start + 2), rate: bytes.readUInt32LE(start + 4), bits: bytes.readUInt16LE(start + 14) }
    } else if (name === 'data') {
      if (format === null) throw fail('has sound before its format')
      if (format.bits !== 16 || format.channels !== 1) throw fail(`has ${format.bits} bits, ${format.channels} channels`)
      const samples = new Int16Array((end - start) >> 1)
      for (let index = 0; index < samples.length; index++) samples[index] = bytes.readInt16LE(start + 2 * index)
      return { rate: format.rate, samples, seconds: samples.length / format.rate }
    }
    at = end + (end & 1)
  }
  throw fail('has no sound')
}

export function writeWav(file, rate, samples) {
  const bytes = Buffer.alloc(44 + 2 * samples.length)
  bytes.write('RIFF', 0, 'latin1')
  bytes.writeUInt32LE(36 + 2 * samples.length, 4)
  bytes.write('WAVEfmt ', 8, 'latin1')
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(rate, 24)
  bytes.writeUInt32LE(2 * rate, 28)
  bytes.writeUInt16LE(2, 32)
  bytes.writeUInt16LE(16, 34)
  bytes.write('data', 36, 'latin1')
  bytes.writeUInt32LE(2 * samples.length, 40)
  samples.forEach((sample, index) => bytes.writeInt16LE(sample, 44 + 2 * index))
  writeFileSync(file, bytes)
}

/**
 * Copies speech with silence before it, in which the call can connect, and after it, in which it can end.
 */
export function padWav(source, target, secondsBefore, secondsAfter) {
  const { rate, samples } = readWav(source)
  const before = Math.round(secondsBefore * rate)
  const padded = new Int16Array(before + samples.length + Math.round(secondsAfter * rate))
  padded.set(samples, before)
  writeWav(target, rate, padded)
}

/** Joins recordings of one rate, with silence before the first and after each. */
export function joinWavs(sources, target, secondsBefore, secondsAfterEach) {
  const read = sources.map(readWav)
  const rate = read[0].rate
  if (read.some((wav) => wav.rate !== rate)) throw new Error(`${sources} differ in their rates`)
  const gap = Math.round(secondsAfterEach * rate)
  let at = Math.round(secondsBefore * rate)
  const joined = new Int16Array(at + read.reduce((sum, wav) => sum + wav.samples.length + gap, 0))
  for (const { samples } of read) {
    joined.set(samples, at)
    at += samples.length + gap
  }
  writeWav(target, rate, joined)
}

export function writeSilence(file, seconds) {
  writeWav(file, 48_000, new Int16Array(48_000 * seconds))
}
