import { describe, expect, it } from 'vitest'
import { partsOf, subtitleOf } from '../src/subtitles'

const LONG = 'It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness. Yes? "No!" Then we went home'
const CHINESE = '这是最好的时代，这是最坏的时代；这是智慧的年代，这是愚蠢的年代；这是信仰的时期，这是怀疑的时期。好的。再见'
const texts = [LONG, CHINESE, '', 'a', '\n\n', 'x'.repeat(500), '😀'.repeat(120), 'שלום עולם. ' + 'مرحبا بالعالم '.repeat(20)]

describe('the parts of an answer', () => {
  it('are all of it, in its order', () => {
    for (const text of texts) expect(partsOf(text).map(({ start, end }) => text.slice(start, end)).join('')).toBe(text)
  })

  it('fit two lines, and never cut a character in two', () => {
    for (const text of texts)
      for (const { start, end } of partsOf(text)) {
        expect(end - start).toBeGreaterThan(0)
        expect(end - start).toBeLessThanOrEqual(84)
        expect(text.slice(start, end)).not.toMatch(/^[\udc00-\udfff]|[\ud800-\udbff]$/)
      }
  })

  it('end where a reader pauses', () => {
    expect(partsOf(LONG).map(({ start, end }) => LONG.slice(start, end))).toEqual([
      'It was the best of times, it was the worst of times, it was the age of wisdom, ',
      'it was the age of foolishness. Yes? "No!" ',
      'Then we went home',
    ])
    expect(CHINESE.slice(0, partsOf(CHINESE)[0]!.end)).toMatch(/[，；。]$/)
  })
})

describe('a subtitle', () => {
  it('ends with the word that is heard: it never runs ahead of the voice', () => {
    const at = LONG.indexOf('worst')
    expect(subtitleOf('item', LONG, { start: at, end: at + 5 })).toEqual({
      key: 'item:0',
      before: 'It was the best of times, it was the ',
      word: 'worst',
    })
  })

  it('begins anew with its part', () => {
    const at = LONG.indexOf('went')
    expect(subtitleOf('item', LONG, { start: at, end: at + 4 })).toMatchObject({ before: 'Then we ', word: 'went' })
  })

  it('stays whole when the word lies outside of a text that was cut', () => {
    expect(subtitleOf('item', 'short', { start: 90, end: 95 })).toEqual({ key: 'item:0', before: 'short', word: '' })
  })
})
