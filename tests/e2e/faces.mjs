// Frames of real calls in Chromium, for docs/faces.md: a row for each face, as the browser showed it while it listened,
// thought and spoke.
//
//   node faces.mjs OUT.jpg

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { openPage } from './helpers/browser.mjs'
import { startServer } from './helpers/server.mjs'
import { BINARY } from './helpers/settings.mjs'
import { writeSilence } from './helpers/wav.mjs'

const QUESTION = 'Who wrote Romeo and Juliet, and what is it about?'
const PHOTO = fileURLToPath(new URL('../fixtures/astronaut.jpg', import.meta.url))
const FACES = ['woman', 'man', 'mascot', 'portrait']
/** Pixels a side of a frame in the sheet; frames of speech in a row and between two of them (200 ms each). */
const SIDE = 192
const SPOKEN = 6
const APART = 5

const out = process.argv[2]
if (!out) throw new Error('usage: node faces.mjs OUT.jpg')
const folder = mkdtempSync(path.join(os.tmpdir(), 'visavis-faces-'))
const silence = path.join(folder, 'silence.wav')
writeSilence(silence, 5)

/** The video's pictures from now on as JPEG data URLs: the first, and of those after it each `apart`th. */
function frames(call, count, apart) {
  return call.page.evaluate(
    ({ count, apart, side }) =>
      new Promise((resolve) => {
        const video = document.querySelector('video')
        const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side })
        const taken = []
        let seen = 0
        const take = () => {
          if (seen++ % apart === 0) {
            canvas.getContext('2d').drawImage(video, 0, 0, side, side)
            taken.push(canvas.toDataURL('image/jpeg', 0.95))
          }
          if (taken.length < count) video.requestVideoFrameCallback(take)
          else resolve(taken)
        }
        video.requestVideoFrameCallback(take)
      }),
    { count, apart, side: SIDE },
  )
}

/** The steps at the end of a "test", so that `openPage` can be used without one. */
const endings = []
const end = async () => {
  for (const ending of endings.splice(0).reverse()) await ending()
}

const rows = []
try {
  for (const face of FACES) {
    const avatars = path.join(folder, 'avatars')
    const settings = `[avatar]\nname = "${face}"\nfolder = "${avatars}"\n`
    if (face === 'portrait') {
      const config = path.join(folder, 'config.toml')
      writeFileSync(config, settings)
      const { status, stderr } = spawnSync(BINARY, ['avatar', 'add', face, PHOTO, '--config', config], { encoding: 'utf8' })
      if (status !== 0) throw new Error(stderr)
    }
    const server = await startServer(settings)
    endings.push(() => server.stop())
    const call = await openPage({ after: (ending) => endings.push(ending) }, { url: server.url, wav: silence, loop: true })
    await call.call()
    const [listening] = await frames(call, 1, 1)
    await call.type(QUESTION)
    await call.phase('thinking')
    const thought = await frames(call, 2, 8)
    await call.phase('speaking')
    rows.push([listening, thought[1], ...(await frames(call, SPOKEN, APART))])
    await end()
    console.log(face)
  }
  const sheet = await openPage({ after: (ending) => endings.push(ending) }, { url: 'about:blank', wav: silence })
  const jpeg = await sheet.page.evaluate(
    async ({ rows, side }) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: rows[0].length * side, height: rows.length * side })
      for (const [y, row] of rows.entries()) {
        for (const [x, url] of row.entries()) {
          const image = new Image()
          image.src = url
          await image.decode()
          canvas.getContext('2d').drawImage(image, x * side, y * side)
        }
      }
      return canvas.toDataURL('image/jpeg', 0.88)
    },
    { rows, side: SIDE },
  )
  writeFileSync(out, Buffer.from(jpeg.split(',')[1], 'base64'))
} finally {
  await end()
  rmSync(folder, { recursive: true, force: true })
}
