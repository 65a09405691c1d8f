// Every word of the page is there in both languages, and every word that the page asks for is there at all.

import { describe, expect, it } from 'vitest'
import { adviceFor, i18n } from '../src/i18n'
import { en } from '../src/i18n/en'
import { settingsEn } from '../src/i18n/settings.en'
import { settingsZh } from '../src/i18n/settings.zh'
import { zh } from '../src/i18n/zh'

type Tree = { [name: string]: string | Tree }
const leaves = (tree: Tree, at = ''): [string, string][] =>
  Object.entries(tree).flatMap(([name, value]) => (typeof value === 'string' ? [[`${at}${name}`, value] as [string, string]] : leaves(value, `${at}${name}.`)))

const english = new Map(leaves({ ...en, settings: settingsEn } as unknown as Tree))
const chinese = new Map(leaves({ ...zh, settings: settingsZh } as unknown as Tree))
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort()

describe('the words', () => {
  it('are the same ones in both languages', () => {
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort())
  })

  it('leave room for the same values in both languages, and none is empty', () => {
    for (const [key, text] of english) {
      expect(text.trim(), key).not.toBe('')
      expect(chinese.get(key)!.trim(), key).not.toBe('')
      expect(placeholders(chinese.get(key)!), key).toEqual(placeholders(text))
    }
  })

  it('are Chinese in Chinese', () => {
    const alike = [...chinese].filter(([, text]) => !/[\u4e00-\u9fff]/.test(text)).map(([key]) => key)
    // The name, the mark, the switch to English, and what the server says in its own words.
    expect(alike.sort()).toEqual(['app.name', 'face.artificialShort', 'header.language', 'problems.server-error.advice'])
  })

  it('hold all that the page asks for', () => {
    const sources = import.meta.glob<string>(['../src/**/*.{vue,ts}', '!../src/{embed,monitor,i18n}/**'], { query: '?raw', import: 'default', eager: true })
    const text = Object.values(sources).join('\n')
    // Keys as they stand, also in a choice of two; those that are composed are tried by the components' tests.
    const asked = [...text.matchAll(/'([a-z]+(?:\.[\w-]+)+)'/gi)].map(([, key]) => key!).filter((key) => key.split('.')[0]! in en || key.startsWith('settings.'))
    expect(asked.length).toBeGreaterThan(60)
    expect([...new Set(asked)].filter((key) => !english.has(key))).toEqual([])
  })
})

describe('advice', () => {
  const t = i18n.global.t as (key: string, values?: Record<string, unknown>) => string

  it('carries what the server said, as it said it', () => {
    expect(adviceFor(t, { kind: 'call-refused', message: '<b>no {x} @:y | z</b>' }).advice).toBe('It says: <b>no {x} @:y | z</b>')
  })

  it('tells why a call ended', () => {
    expect(adviceFor(t, { kind: 'session-ended', reason: 'idle_timeout' }).advice).toContain('Nobody had spoken')
    expect(adviceFor(t, { kind: 'session-ended', reason: 'whatever' as never }).title).toBe('The call has ended')
    expect(adviceFor(t, { kind: 'session-ending', reason: 'max_duration', secondsLeft: 12 }).title).toBe('The call ends in 12 s')
  })
})
