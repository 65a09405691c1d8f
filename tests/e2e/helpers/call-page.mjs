// The page of a call as a test uses it, in English or Chinese: by its roles, labels and words.

import { setTimeout as sleep } from 'node:timers/promises'

export class CallPage {
  /** Console errors and uncaught exceptions so far. */
  errors = []

  constructor(page) {
    this.page = page
    page.on('console', (message) => message.type() === 'error' && this.errors.push(message.text()))
    page.on('pageerror', (error) => this.errors.push(error.message))
  }

  get stage() {
    return this.page.getByRole('region', { name: /^(The face you talk with|与你交谈的面孔)$/ })
  }

  get message() {
    return this.page.getByRole('textbox', { name: /^(Message|消息)$/ })
  }

  get hangUpButton() {
    return this.page.getByRole('button', { name: /^(Hang up|挂断)$/ })
  }

  async pressCall() {
    await this.page.getByRole('button', { name: /^(Call|呼叫)$/ }).click()
  }

  /** Presses Call and waits until the face listens and its picture is there. */
  async call() {
    await this.pressCall()
    await this.phase('listening', 'speaking')
    await this.page.waitForFunction(() => {
      const video = document.querySelector('video')
      return video.videoWidth > 0 && !video.paused && video.currentTime > 0
    })
  }

  async type(text) {
    await this.message.fill(text)
    await this.message.press('Enter')
  }

  async hangUp() {
    await this.hangUpButton.click()
    await this.phase('ended')
  }

  /** Leaves the page in order; for the end of a test, whatever has happened to it. */
  async leave() {
    if (this.page.isClosed()) return
    if (await this.hangUpButton.isVisible().catch(() => false)) await this.hangUp().catch(() => undefined)
    await this.page.goto('about:blank').catch(() => undefined)
  }

  /** Notes from now on when the face begins to speak. */
  async noteSpeaking() {
    await this.page.evaluate(() => {
      window.spokeAt = []
      const note = () => {
        const speaks = document.querySelector('[data-phase="speaking"] video') !== null
        if (speaks && !window.speaks) window.spokeAt.push(Date.now())
        window.speaks = speaks
      }
      new MutationObserver(note).observe(document, { subtree: true, attributes: true, childList: true, attributeFilter: ['data-phase'] })
    })
  }

  /** Waits until the face has begun to speak after this time, be it over by now. */
  async spokenAfter(time) {
    await this.page.waitForFunction((time) => window.spokeAt.some((at) => at > time), time, { timeout: 60_000 })
  }

  /** Waits until the page shows one of these phases. */
  async phase(...phases) {
    const selector = phases.map((phase) => `[data-phase="${phase}"] video`).join(', ')
    await this.page.waitForSelector(selector, { state: 'attached', timeout: 60_000 })
  }

  /** Waits for words anywhere on the page. */
  async words(text, timeout = 30_000) {
    await this.page.getByText(text).first().waitFor({ timeout })
  }

  /** The conversation as shown: `{ speaker: 'user' | 'face', state, text }`, oldest first. */
  async entries() {
    return this.page.evaluate(() =>
      [...document.querySelectorAll('[role=log] [data-speaker]')].map((entry) => ({
        speaker: entry.dataset.speaker,
        state: entry.dataset.state,
        text: entry.querySelector('p').textContent.trim(),
      })),
    )
  }

  /** Polls the conversation until `test` holds for it; fails with the conversation in the message. */
  async untilEntries(what, test, timeoutMillis) {
    const deadline = Date.now() + timeoutMillis
    for (;;) {
      const entries = await this.entries()
      if (test(entries)) return entries
      if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMillis / 1000} s. Shown: ${JSON.stringify(entries)}`)
      await sleep(50)
    }
  }

  /** Waits for an event of the server, by now or from now on, that `test` (a function of it alone) holds for. */
  async event(test) {
    const found = await this.page.waitForFunction(`window.e2eEvents.find(${test})`, null, { timeout: 60_000 })
    return found.jsonValue()
  }

  async openSettings() {
    await this.page.getByRole('button', { name: /^(Settings|设置)$/ }).click()
    await this.page.locator('.settings .tile img').first().waitFor()
    // The drawer slides in: it has one class before it moves, and others while it does.
    await this.page.waitForFunction(() => !document.querySelector('.settings :is([class*="-enter"], [class*="-appear"])'))
  }

  async closeSettings() {
    await this.page.keyboard.press('Escape')
    await this.page.locator('.settings .ant-drawer-content').waitFor({ state: 'hidden' })
  }

  /** Polls what `take` makes of the page until `test` holds for it. */
  async untilPicture(test, take) {
    const deadline = Date.now() + 20_000
    while (!test(await take(this))) {
      if (Date.now() > deadline) throw new Error('the picture did not change as it should')
      await sleep(100)
    }
  }

  async stageBox() {
    return this.stage.boundingBox()
  }

  /** What getStats says of the received media now, of the latest peer connection. */
  async stats() {
    return this.page.evaluate(async () => {
      const report = await window.e2ePeers.at(-1).getStats()
      const inbound = (kind) => [...report.values()].find((stat) => stat.type === 'inbound-rtp' && stat.kind === kind) ?? {}
      const video = inbound('video')
      const audio = inbound('audio')
      return {
        video: {
          timestamp: video.timestamp,
          codec: report.get(video.codecId)?.mimeType,
          width: video.frameWidth,
          height: video.frameHeight,
          framesDecoded: video.framesDecoded,
          framesDropped: video.framesDropped,
          freezeCount: video.freezeCount,
          packetsLost: video.packetsLost,
        },
        audio: {
          timestamp: audio.timestamp,
          codec: report.get(audio.codecId)?.mimeType,
          bytesReceived: audio.bytesReceived,
          packetsLost: audio.packetsLost,
          audioLevel: audio.audioLevel,
          totalAudioEnergy: audio.totalAudioEnergy,
          totalSamplesDuration: audio.totalSamplesDuration,
          concealedSamples: audio.concealedSamples,
          silentConcealedSamples: audio.silentConcealedSamples,
        },
      }
    })
  }

  /**
   * Watches the received media for some seconds.
   * `loudness` is the root mean square of the sound (1 is full scale), from its energy as WebRTC defines it.
   */
  async measure(seconds) {
    const first = await this.stats()
    await sleep(seconds * 1000)
    const last = await this.stats()
    const energy = last.audio.totalAudioEnergy - first.audio.totalAudioEnergy
    const heardSeconds = last.audio.totalSamplesDuration - first.audio.totalSamplesDuration
    return {
      codec: last.video.codec,
      width: last.video.width,
      height: last.video.height,
      framesPerSecond: ((last.video.framesDecoded - first.video.framesDecoded) * 1000) / (last.video.timestamp - first.video.timestamp),
      freezes: last.video.freezeCount - first.video.freezeCount,
      audioBytes: last.audio.bytesReceived - first.audio.bytesReceived,
      loudness: Math.sqrt(energy / heardSeconds),
      last,
    }
  }
}
