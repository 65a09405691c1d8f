import { expect, it } from 'vitest'
import { en } from '../../src/monitor/i18n/en'
import { zh } from '../../src/monitor/i18n/zh'

type Tree = { [key: string]: string | Tree }

function flat(words: Tree, above = ''): Record<string, string> {
  return Object.assign({}, ...Object.entries(words).map(([key, value]) => (typeof value === 'string' ? { [above + key]: value } : flat(value, `${above}${key}.`))))
}

it('every word is there in both languages, with the same places for figures', () => {
  const [english, chinese] = [flat(en), flat(zh)]
  expect(Object.keys(chinese)).toEqual(Object.keys(english))
  const places = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort()
  for (const [key, text] of Object.entries(english)) expect([key, places(chinese[key]!)]).toEqual([key, places(text)])
})
