// axe-core in the page under test: what stands in the way of people with a screen reader, a keyboard or weak eyes.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { screenshot } from './browser.mjs'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** Fails with what is wrong and where; keeps a picture of what was looked at. */
export async function assertAccessible(call, name) {
  const { page } = call
  await screenshot(call, `axe-${name}`)
  if (!(await page.evaluate(() => 'axe' in window))) await page.addScriptTag({ path: AXE })
  const { violations } = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags }), RULES)
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`).join('\n')}`)
  assert.deepEqual(found, [], `${name}:\n${found.join('\n\n')}`)
}
