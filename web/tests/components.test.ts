import type { Entry } from '@visavis/client'
import { afterEach, describe, expect, it } from 'vitest'
import { nextTick } from 'vue'
import DropDown from '../src/components/DropDown.vue'
import NoticeCard from '../src/components/NoticeCard.vue'
import ProblemCard from '../src/components/ProblemCard.vue'
import QualityBars from '../src/components/QualityBars.vue'
import TextInput from '../src/components/TextInput.vue'
import TranscriptView from '../src/components/TranscriptView.vue'
import { en } from '../src/i18n/en'
import { mount, unmountAll } from './mount'

afterEach(unmountAll)

const entry = (change: Partial<Entry>): Entry => ({ id: 'x', speaker: 'user', text: '', state: 'done', ...change })

describe('the transcript', () => {
  const show = (...entries: Entry[]) => mount(TranscriptView, { live: true, other: 'Ada', entries })

  it('shows markup as text', () => {
    const root = show(entry({ text: '<img src=x onerror=alert(1)> & <b>bold</b>' }))
    expect(root.querySelector('img, b')).toBeNull()
    expect(root.querySelector('[data-speaker=user] p')?.textContent).toContain('<img src=x onerror=alert(1)> & <b>bold</b>')
  })

  it('holds the announcement of an answer back until it is whole', () => {
    const root = show(entry({ id: 'a', speaker: 'face', text: 'It is', state: 'open' }), entry({ id: 'b', text: 'ok' }))
    expect([...root.querySelectorAll('.entry')].map((element) => element.getAttribute('aria-busy'))).toEqual(['true', 'false'])
  })

  it('marks the word that is heard, names who speaks, and says what was cut or not understood', () => {
    const root = show(
      entry({ id: 'a', speaker: 'face', text: 'It is Paris.', state: 'open', heard: { start: 3, end: 5 } }),
      entry({ id: 'b', speaker: 'face', text: 'It', state: 'cut' }),
      entry({ id: 'c', state: 'failed' }),
    )
    expect(root.querySelector('mark')?.textContent).toBe('is')
    expect([...root.querySelectorAll('.speaker')].map((speaker) => speaker.textContent)).toEqual(['Ada', 'Ada', 'You'])
    expect(root.textContent).toContain('interrupted')
    expect(root.textContent).toContain('Not understood')
  })
})

describe('the text input', () => {
  function field(sent: string[]) {
    const root = mount(TextInput, { enabled: true, onSend: (text: string) => sent.push(text) })
    const area = root.querySelector('textarea')!
    return {
      root,
      area,
      async type(text: string) {
        area.value = text
        area.dispatchEvent(new Event('input'))
        await nextTick()
      },
      enter: (init: KeyboardEventInit = {}) => area.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', ...init })),
    }
  }

  it('sends with Enter and becomes empty', async () => {
    const sent: string[] = []
    const { type, enter, area } = field(sent)
    await type('Bonjour')
    enter()
    await nextTick()
    expect(sent).toEqual(['Bonjour'])
    expect(area.value).toBe('')
  })

  it('breaks the line with Shift+Enter and leaves Enter to an input method that composes', async () => {
    const sent: string[] = []
    const { type, enter } = field(sent)
    await type('ni hao')
    enter({ shiftKey: true })
    enter({ isComposing: true })
    expect(sent).toEqual([])
  })

  it('says that a text is too long instead of cutting or sending it', async () => {
    const sent: string[] = []
    const { root, type, enter, area } = field(sent)
    await type('x'.repeat(4003))
    enter()
    expect(sent).toEqual([])
    expect(area.value).toHaveLength(4003)
    expect(root.querySelector('[role=alert]')?.textContent).toBe('3 characters too many: 4,000 at most.')
  })
})

describe('a notice', () => {
  it('counts an ending session down from what the server said', () => {
    const root = mount(NoticeCard, { hint: { kind: 'session-ending', reason: 'idle_timeout', secondsLeft: 30 } })
    expect(root.textContent).toContain('30 s')
  })
})

describe('a problem', () => {
  const kinds = Object.keys(en.problems) as (keyof typeof en.problems)[]

  it.each(kinds)('%s is told in words, with what to do', (kind) => {
    const root = mount(ProblemCard, { problem: { kind, message: 'why', retryAfterSeconds: 3 } })
    expect(root.querySelector('[role=alert] h2')?.textContent).toBe(en.problems[kind].title)
    expect(root.querySelector('[role=alert] p')?.textContent).toBe(en.problems[kind].advice.replace('{message}', 'why'))
    expect(root.querySelector('button')).not.toBeNull()
  })

  it('of a full server lets nobody try again too soon', () => {
    const root = mount(ProblemCard, { problem: { kind: 'server-full', retryAfterSeconds: 7 } })
    expect(root.querySelector('button')?.textContent).toBe('Try again in 7 s')
    expect(root.querySelector('button')?.disabled).toBe(true)
  })

  it('of a missing key asks for it', () => {
    const root = mount(ProblemCard, { problem: { kind: 'token-refused', message: '', expired: false } })
    expect(root.querySelector('input')?.getAttribute('aria-label')).toBe('Access key')
  })
})

describe('the quality of the connection', () => {
  const quality = { grade: 'fair', roundTripMs: 240, lossRatio: 0.012, jitterMs: 4.4, framesPerSecond: null, bitsPerSecond: 312_000 }

  it('is three bars, and in words and figures on focus', async () => {
    const root = mount(QualityBars, { quality })
    expect(root.querySelectorAll('rect.on')).toHaveLength(2)
    expect(root.querySelector('button')?.getAttribute('aria-label')).toBe('Fair connection')
    root.querySelector('button')!.dispatchEvent(new FocusEvent('focus'))
    await nextTick()
    const figures = [...root.querySelectorAll('dl div')].map((row) => row.textContent)
    // What is not known is left out.
    expect(figures).toEqual(['Round trip240 ms', 'Packets lost1.2 %', 'Jitter4 ms', 'Received312 kbit/s'])
  })

  it('is not guessed before it was measured', () => {
    const root = mount(QualityBars, { quality: null })
    expect(root.querySelectorAll('rect.on')).toHaveLength(0)
    expect(root.querySelector('button')?.getAttribute('aria-label')).toBe('Measuring the connection')
  })
})

describe('a drop-down', () => {
  it('opens by its button, closes by Escape, and by a click elsewhere', async () => {
    const root = mount(DropDown, { label: 'More' })
    const button = root.querySelector('button')!
    const isOpen = () => root.querySelector('.drop') !== null
    for (const close of [
      () => root.querySelector('.root')!.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true })),
      () => document.body.dispatchEvent(new Event('pointerdown', { bubbles: true })),
    ]) {
      button.click()
      await nextTick()
      expect([isOpen(), button.getAttribute('aria-expanded')]).toEqual([true, 'true'])
      close()
      await nextTick()
      expect([isOpen(), button.getAttribute('aria-expanded')]).toEqual([false, 'false'])
    }
  })
})
