import { afterEach, describe, expect, it } from 'vitest'
import { createApp, h, nextTick, type Component } from 'vue'
import NoticeCard from '../src/components/NoticeCard.vue'
import TextInput from '../src/components/TextInput.vue'
import TranscriptView from '../src/components/TranscriptView.vue'
import type { Entry } from '@visavis/client'

let unmount: () => void = () => undefined
afterEach(() => unmount())

function show(component: Component, props: Record<string, unknown>): HTMLElement {
  const root = document.body.appendChild(document.createElement('div'))
  const app = createApp({ render: () => h(component, props) })
  app.mount(root)
  unmount = () => {
    app.unmount()
    root.remove()
  }
  return root
}

const entry = (change: Partial<Entry>): Entry => ({ id: 'x', speaker: 'user', text: '', state: 'done', ...change })

describe('the transcript', () => {
  it('shows markup as text', () => {
    const root = show(TranscriptView, { live: true, entries: [entry({ text: '<img src=x onerror=alert(1)> & <b>bold</b>' })] })
    expect(root.querySelector('img, b')).toBeNull()
    expect(root.querySelector('[data-speaker=user] p')?.textContent).toContain('<img src=x onerror=alert(1)> & <b>bold</b>')
  })

  it('holds the announcement of an answer back until it is whole', () => {
    const entries = [entry({ id: 'a', speaker: 'face', text: 'It is', state: 'open' }), entry({ id: 'b', text: 'ok' })]
    const root = show(TranscriptView, { live: true, entries })
    expect([...root.querySelectorAll('.entry')].map((element) => element.getAttribute('aria-busy'))).toEqual(['true', 'false'])
  })
})

describe('the text input', () => {
  function field(sent: string[]) {
    const root = show(TextInput, { enabled: true, onSend: (text: string) => sent.push(text) })
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
    expect(root.querySelector('[role=alert]')?.textContent).toContain('3 characters too many')
  })
})

describe('a notice', () => {
  it('counts an ending session down from what the server said', () => {
    const root = show(NoticeCard, { hint: { kind: 'session-ending', reason: 'idle_timeout', secondsLeft: 30 } })
    expect(root.textContent).toContain('30 s')
  })
})
