// A headless Chromium with a fake microphone, and the page of the server in it.

import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { chromium } from 'playwright-core'
import { CallPage } from './call-page.mjs'
import { ARTIFACTS, CHROMIUM } from './settings.mjs'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream',
]

export const DESKTOP = { viewport: { width: 1280, height: 800 } }
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }

/** Keeps every peer connection of the page where `getStats` can be asked of it, and every event that its channels bring. */
const KEEP_PEERS = `{
  const Native = window.RTCPeerConnection
  window.e2ePeers = []
  window.e2eEvents = []
  window.RTCPeerConnection = class extends Native {
    constructor(...all) { super(...all); window.e2ePeers.push(this) }
    createDataChannel(...all) {
      const channel = super.createDataChannel(...all)
      channel.addEventListener('message', ({ data }) => window.e2eEvents.push(JSON.parse(data)))
      return channel
    }
  }
}`

/**
 * Opens the page in a browser of its own; both end with `t`, the test.
 * @param {{ url: string, wav: string, loop?: boolean, microphone?: 'allow' | 'deny', device?: object, colorScheme?: 'dark' | 'light', locale?: string, prepare?: (page: object) => Promise<void> }} options
 *   `wav` is what the microphone hears from the moment it is opened; `prepare` is done before the page is loaded
 */
export async function openPage(t, { url, wav, loop = false, microphone = 'allow', device = DESKTOP, colorScheme = 'dark', locale = 'en-US', prepare = async () => {} }) {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ...FLAGS,
      microphone === 'allow' ? '--use-fake-ui-for-media-stream' : '--use-fake-ui-for-media-stream=deny',
      `--use-file-for-fake-audio-capture=${wav}${loop ? '' : '%noloop'}`,
    ],
  })
  const context = await browser.newContext({ locale, colorScheme, ...device })
  await context.addInitScript(KEEP_PEERS)
  const page = await context.newPage()
  const call = new CallPage(page)
  t.after(async () => {
    await call.leave()
    await browser.close()
  })
  await prepare(page)
  await page.goto(url)
  return call
}

export async function screenshot(call, name) {
  mkdirSync(ARTIFACTS, { recursive: true })
  await call.page.screenshot({ path: path.join(ARTIFACTS, `${name}.png`) })
}
