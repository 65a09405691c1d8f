// What these tests take from their surroundings, and the server's configuration: the one file to change when
// either changes.

import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The first file of a weight of the store. */
function weight(name) {
  const { stdout, stderr } = spawnSync(BINARY, ['models', 'path', name], { encoding: 'utf8' })
  if (!stdout) throw new Error(stderr || `${BINARY} does not run: make build`)
  return stdout.split('\n')[0]
}

const here = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const fromHere = (file) => path.resolve(here, file)

/** The server under test. */
export const BINARY = path.resolve(process.env.VISAVIS_BIN ?? fromHere('../../target/release/visavis'))
/** Folder of a page to be tested in place of the one in the binary. */
export const PAGE = process.env.VISAVIS_PAGE && path.resolve(process.env.VISAVIS_PAGE)
/** A Chromium that decodes H.264 in WebRTC (Debian's does; most builds for test tools do not). */
export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
/** Where screenshots and the server's log go. */
export const ARTIFACTS = path.resolve(process.env.ARTIFACTS ?? fromHere('../../artifacts'))
/** Folder of the recordings below. */
export const SPEECH = process.env.VISAVIS_SPEECH ?? path.dirname(weight('test-speech'))
// VISAVIS_MODELS, the folder of the weights, goes to the server as it is.

/** Recorded speech with its known text and the seconds at which its last word ends; noises follow it (PyPI moonshine-voice, MIT; the texts are in the public domain or quoted). */
export const RECORDINGS = [
  {
    file: 'beckett.wav',
    text: 'Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.',
    wordsEnd: 9.0,
  },
  {
    file: 'two_cities.wav',
    text: `It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness,
      it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of Darkness,
      it was the spring of hope, it was the winter of despair, we had everything before us, we had nothing before us,
      we were all going direct to Heaven, we were all going direct the other way, in short, the period was so far like
      the present period, that some of its noisiest authorities insisted on its being received, for good or for evil,
      in the superlative degree of comparison only.`,
    wordsEnd: 41.7,
  },
]

/** One call at a time, so that a second one finds the server full. */
export const SERVER_CONFIG = `
[server]
max_calls = 1
`

/** @param listen address and port; port 0 is any */
export function serverArguments(configFile, listen) {
  return ['serve', '--listen', listen, '--config', configFile]
}
