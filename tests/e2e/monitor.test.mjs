// The monitor in a real Chromium, before a real server with a real call: what it shows, what an admin can do, and what
// it says when something is wrong.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { chromium } from 'playwright-core'
import { DESKTOP, PHONE } from './helpers/browser.mjs'
import { startServer } from './helpers/server.mjs'
import { ARTIFACTS, BINARY, CHROMIUM } from './helpers/settings.mjs'

const AXE = createRequire(import.meta.url).resolve('axe-core')
const KEY = 'key-of-the-monitor-tests'
const WIDE = { viewport: { width: 1440, height: 900 } }
/** The monitor asks every 2 s; a call is up within a second. */
const SHOWN_MILLIS = 20_000
/** A spoken answer of the local model, on a machine that does much else. */
const ANSWER_MILLIS = 60_000

let server
let browser

before(async () => {
  process.env.VISAVIS_ADMIN_KEY = KEY
  server = await startServer()
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] })
})

after(async () => {
  await browser?.close()
  await server?.stop()
})

/** The monitor as a test uses it; `key` goes into the address as the server prints it. */
async function openMonitor(t, { key = KEY, view = '', device = WIDE, colorScheme = 'dark', locale = 'en-US' } = {}) {
  const context = await browser.newContext({ locale, colorScheme, ...device })
  t.after(() => context.close())
  const page = await context.newPage()
  const errors = []
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  page.on('pageerror', (error) => errors.push(error.message))
  await page.goto(`${server.url}/monitor${view}${key ? `#${key}` : ''}`)
  await page.getByText(/^(Live|实时)$/).waitFor({ timeout: SHOWN_MILLIS })
  return { page, context, errors }
}

/** A call of the server's own caller, which types `text` and stays. */
function startCall(t, text = 'What is the capital of France?') {
  const caller = spawn(BINARY, ['call', '--url', server.url, '--text', text, '--linger', '120'], { stdio: 'ignore' })
  const gone = new Promise((resolve) => caller.once('exit', resolve))
  t.after(async () => {
    caller.kill('SIGKILL')
    await gone
    const headers = { Authorization: `Bearer ${KEY}` }
    const { data } = await (await fetch(`${server.url}/api/calls`, { headers })).json()
    for (const { id } of data) await fetch(`${server.url}/api/calls/${id}`, { method: 'DELETE', headers })
  })
  return { gone }
}

async function shoot(page, name) {
  mkdirSync(ARTIFACTS, { recursive: true })
  await page.screenshot({ path: path.join(ARTIFACTS, `monitor-${name}.png`), fullPage: true })
}

async function assertAccessible(page) {
  await page.addScriptTag({ path: AXE })
  const violations = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] })
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
  })
  assert.deepEqual(violations, [])
}

/** A figure of the chart's text, waited for. */
async function chartSays(page, chart, pattern, timeout = SHOWN_MILLIS) {
  await page.waitForFunction(
    ([chart, pattern]) => new RegExp(pattern).test(document.querySelector(`[data-chart="${chart}"] [role=img]`)?.ariaLabel ?? ''),
    [chart, pattern.source],
    { timeout },
  )
}

async function pictureOf(page, chart) {
  return page.locator(`[data-chart="${chart}"] canvas`).evaluate((canvas) => canvas.toDataURL())
}

/** What the browser itself reports of a reply that is no success. */
function but(errors, status) {
  return errors.filter((error) => !error.includes(`${status}`))
}

test('a call under way is shown, with its answer step by step, until an admin ends it', { timeout: 180_000 }, async (t) => {
  const { page, errors } = await openMonitor(t)
  await page.getByText('Nobody is calling.').waitFor()
  assert.equal(new URL(page.url()).hash, '', 'the key stays in the address')
  await chartSays(page, 'calls', /now 0/)
  const before = await pictureOf(page, 'calls')

  const { gone } = startCall(t)
  const row = page.locator('[data-call]')
  await row.waitFor({ timeout: SHOWN_MILLIS })
  await chartSays(page, 'calls', /now 1/)
  // The canvas follows its words with the next drawing.
  const moved = ({ chart, before }) => document.querySelector(`[data-chart="${chart}"] canvas`).toDataURL() !== before
  await page.waitForFunction(moved, { chart: 'calls', before }, { timeout: SHOWN_MILLIS })
  await chartSays(page, 'frames', /now [1-9]/)
  await page.getByRole('img', { name: /^The last 1 answers/ }).waitFor({ timeout: ANSWER_MILLIS })
  await page.locator('[data-panel=steps] [data-step=first_mouth] td').getByText(/\d m?s$/).first().waitFor({ timeout: SHOWN_MILLIS })
  await page.locator('[data-figure=answer]').getByText(/typed/).waitFor({ timeout: SHOWN_MILLIS })
  assert.match(await row.innerText(), /127\.0\.0\.1|::1/)
  await shoot(page, 'call-dark')
  await assertAccessible(page)

  await row.getByRole('button', { name: /^End call/ }).click()
  await assertAccessible(page)
  await page.getByRole('button', { name: 'Keep it' }).click()
  assert.equal((await server.status()).calls.active, 1, 'the call was ended without a yes')
  await row.getByRole('button', { name: /^End call/ }).click()
  await page.getByRole('button', { name: 'End the call' }).click()
  await page.getByText('Nobody is calling.').waitFor({ timeout: SHOWN_MILLIS })
  await gone
  assert.equal((await server.status()).calls.active, 0)
  await page.locator('[data-panel=happenings] [data-kind=ended]').waitFor()
  assert.deepEqual(errors, [])
})

test('without a key the public figures are shown, and what a key would add', { timeout: 60_000 }, async (t) => {
  const { page, errors } = await openMonitor(t, { key: '', colorScheme: 'light' })
  await page.getByText('With an admin key each call is listed here.').waitFor()
  await chartSays(page, 'memory', /now \d+ MB/)
  await shoot(page, 'public-light')
  await assertAccessible(page)
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('heading', { name: 'The settings need an admin key' }).waitFor()
  assert.deepEqual(errors, [])
})

test('a wrong key is said in clear words, and the right one is taken then', { timeout: 60_000 }, async (t) => {
  const { page, errors } = await openMonitor(t, { key: 'wrong' })
  await page.getByText('The server refused this key.').waitFor({ timeout: SHOWN_MILLIS })
  await shoot(page, 'wrong-key')
  await assertAccessible(page)
  await page.getByLabel('Key', { exact: true }).fill(KEY)
  await page.getByRole('button', { name: 'Use this key' }).click()
  await page.getByRole('button', { name: 'Admin', exact: true }).waitFor({ timeout: SHOWN_MILLIS })
  await page.getByText('Nobody is calling.').waitFor()
  await page.reload()
  await page.getByText('Nobody is calling.').waitFor({ timeout: SHOWN_MILLIS })
  assert.deepEqual(but(errors, 401), [])
})

test('a setting is changed while the server runs, refused at its field, and taken back', { timeout: 60_000 }, async (t) => {
  const { page, errors } = await openMonitor(t, { view: '?view=settings', colorScheme: 'light' })
  const config = async () => (await (await fetch(`${server.url}/api/config`, { headers: { Authorization: `Bearer ${KEY}` } })).json()).config
  const field = (at) => page.locator(`[data-path="${at}"]`)
  await page.getByRole('searchbox', { name: 'Search the settings' }).fill('llm')
  const [temperature, prompt] = [field('llm.temperature').getByRole('textbox'), field('llm.system_prompt').getByRole('textbox')]
  await temperature.waitFor({ timeout: SHOWN_MILLIS })
  const before = (await config()).llm

  await temperature.fill('9')
  await prompt.fill('Be brief.\nBe kind.')
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.getByText('Nothing was changed, for the server refused a value.').waitFor()
  assert.equal(await temperature.getAttribute('aria-invalid'), 'true')
  assert.notEqual((await field('llm.temperature').locator('.says').innerText()).trim(), '')
  assert.deepEqual((await config()).llm, before, 'a part of a refused change was taken')
  await shoot(page, 'settings-refused')
  await assertAccessible(page)

  await temperature.fill('warm')
  await page.getByText('This is no number.').waitFor()
  assert.ok(await page.getByRole('button', { name: 'Apply' }).isDisabled())
  await temperature.fill('0.7')
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.getByText('Applied, and kept in the configuration file.').waitFor()
  const after = (await config()).llm
  assert.deepEqual([after.temperature, after.system_prompt], [0.7, 'Be brief.\nBe kind.'])

  await page.getByRole('button', { name: 'Undo the last change' }).click()
  await page.getByText('Taken back.').waitFor()
  assert.deepEqual((await config()).llm, before)
  assert.deepEqual(but(errors, 400), [])
})

test('in Chinese on a phone nothing overflows and all of it is within reach', { timeout: 60_000 }, async (t) => {
  const { page, errors } = await openMonitor(t, { device: PHONE, locale: 'zh-CN', colorScheme: 'light' })
  await page.getByText('当前没有通话。').waitFor({ timeout: SHOWN_MILLIS })
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-Hans')
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth), 0)
  await shoot(page, 'phone-chinese')
  await assertAccessible(page)
  assert.deepEqual(errors, [])
})

test('it can be used by keyboard alone', { timeout: 60_000 }, async (t) => {
  const { page } = await openMonitor(t, { device: DESKTOP })
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'content')
  const window = page.getByRole('radio', { name: '5 min', exact: true })
  await window.focus()
  await page.keyboard.press('ArrowRight')
  assert.ok(await page.getByRole('radio', { name: '15 min' }).isChecked())
  await page.getByRole('button', { name: 'Admin', exact: true }).press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
})

// The last one: it kills the server.
test('a server that goes away is said, what was known stays, and it goes on when the server is back', { timeout: 180_000 }, async (t) => {
  const { page } = await openMonitor(t, { colorScheme: 'light' })
  await chartSays(page, 'calls', /now 0/)
  await server.kill()
  await page.getByText('The server does not answer').waitFor({ timeout: SHOWN_MILLIS })
  assert.equal(await page.locator('[data-figure=calls] .value').innerText(), '0')
  await shoot(page, 'away')
  await assertAccessible(page)
  await server.restart()
  await page.getByText('Live', { exact: true }).waitFor({ timeout: SHOWN_MILLIS })
  await page.getByText('Nobody is calling.').waitFor({ timeout: SHOWN_MILLIS })
  assert.equal(await page.getByText('The server does not answer').count(), 0)
})
