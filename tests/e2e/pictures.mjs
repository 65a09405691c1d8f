// The pictures in the README and docs/: the pages as a visitor sees them, from real calls in Chromium.
//
//   node pictures.mjs FOLDER

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { openPage, PHONE } from './helpers/browser.mjs'
import { startHost } from './helpers/host.mjs'
import { startServer } from './helpers/server.mjs'
import { BINARY } from './helpers/settings.mjs'
import { writeSilence } from './helpers/wav.mjs'

const KEY = 'key-of-the-pictures'
const DESKTOP = { viewport: { width: 1280, height: 800 } }
/** Four callers ask these, one after the other. */
const QUESTIONS = ['What is the capital of France?', 'Tell me about the moon.', 'Who wrote Hamlet?', 'What is tea made of?']
/** How long the monitor watches them, until its charts have something to show. */
const WATCHED_MILLIS = 100_000

const out = process.argv[2]
if (!out) throw new Error('usage: node pictures.mjs FOLDER')
mkdirSync(out, { recursive: true })
const folder = mkdtempSync(path.join(os.tmpdir(), 'visavis-pictures-'))
const silence = path.join(folder, 'silence.wav')
writeSilence(silence, 5)
process.env.VISAVIS_ADMIN_KEY = KEY
const host = await startHost()
const server = await startServer()
await fetch(`${server.url}/api/config`, {
  method: 'PATCH',
  headers: { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/merge-patch+json' },
  body: JSON.stringify({ server: { max_calls: QUESTIONS.length + 1 } }),
})

const endings = []
const open = (options) => openPage({ after: (ending) => endings.push(ending) }, { url: server.url, wav: silence, loop: true, ...options })
const end = async () => {
  for (const ending of endings.splice(0).reverse()) await ending()
}
const take = async ({ page }, name) => {
  await page.screenshot({ path: path.join(out, `${name}.png`) })
  console.log(name)
}

/** An answer is under way, and some words of it were heard. */
async function speaking(call, text) {
  await call.type(text)
  await call.phase('speaking')
  await call.page.waitForTimeout(1500)
}

try {
  const desktop = await open({ device: DESKTOP, colorScheme: 'light' })
  await desktop.call()
  await speaking(desktop, 'Tell me a short story about a fox and a bear.')
  await take(desktop, 'call')
  await desktop.openSettings()
  await desktop.page.locator('.settings img').first().waitFor()
  await desktop.page.waitForTimeout(800)
  await take(desktop, 'settings')
  await end()

  const phone = await open({ device: PHONE, colorScheme: 'dark', locale: 'zh-CN' })
  await phone.call()
  await speaking(phone, '请讲一个小故事。')
  await take(phone, 'phone')
  await end()

  host.pages['/'] = `<style>body { font: 18px/1.6 Georgia, serif; margin: 0; color: #2b2b2b; background: #faf8f4 }
      header { background: #1f3b2d; color: #fff; padding: 24px 64px; font-size: 24px } main { max-width: 640px; padding: 32px 64px }</style>
    <header>Fern &amp; Moss</header><main><h1>Ask our gardener</h1><p>Which plant likes the shade behind your house, when to prune a
    rose, why a fern turns brown: ask Flora, at any hour.</p><p>She knows what we sell and how it is cared for, and she can see
    you through to the right pot.</p><p>Opening hours: Monday to Saturday, nine to six.</p></main>
    <script src="${server.url}/embed.js" async></script><visavis-avatar mode="bubble" open avatar="woman" name="Flora" microphone="off"></visavis-avatar>`
  const embed = await open({ url: `${host.origin}/`, device: DESKTOP, colorScheme: 'light' })
  const { page } = embed
  await page.getByRole('button', { name: /^(Start talking|Type instead|Start)/ }).last().click()
  const field = page.getByRole('textbox', { name: 'Message' })
  await field.fill('When should I prune a rose?')
  await field.press('Enter')
  await page.waitForFunction(() => document.querySelector('visavis-avatar')?.shadowRoot?.querySelector('[data-phase="speaking"]'))
  await page.waitForTimeout(1500)
  await take(embed, 'embed')
  await end()

  const callers = QUESTIONS.map((_, first) => {
    const asked = QUESTIONS.flatMap((_, n) => ['--text', QUESTIONS[(first + n) % QUESTIONS.length]])
    return spawn(BINARY, ['call', '--url', server.url, ...asked, '--linger', '300'], { stdio: 'ignore' })
  })
  endings.push(() => callers.forEach((caller) => caller.kill('SIGKILL')))
  const monitor = await open({ url: `${server.url}/monitor#${KEY}`, device: { viewport: { width: 1440, height: 1180 } }, colorScheme: 'light' })
  await monitor.page.getByText('2 min', { exact: true }).click()
  await monitor.page.waitForTimeout(WATCHED_MILLIS)
  await take(monitor, 'monitor')
} finally {
  await end()
  await server.stop()
  await host.stop()
  rmSync(folder, { recursive: true, force: true })
}
