import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Entry } from '@visavis/client'
import { fakeBrowser, FakePeerConnection, offerOf, reply, type FakeBrowser } from '../packages/client/tests/fakes'
import { captionOf, pieces } from '../src/embed/captions'
import { VisavisAvatar } from '../src/embed/element'
import { adviceFor, wordsFor } from '../src/embed/words'

const entry = (change: Partial<Entry>): Entry => ({ id: 'x', speaker: 'face', text: '', state: 'open', ...change })

describe('subtitles', () => {
  const text = 'It is Paris. The city lies on the Seine, and has two million people who live, work and walk in its many streets and parks.'

  it.each([[text], ['巴黎。这座城市位于塞纳河畔，有两百万人口，他们在城市的街道和公园里生活、工作、散步，' + '还有很多别的事情可做。'.repeat(9)], ['x'.repeat(300)], ['👩‍👩‍👧‍👦'.repeat(40)], ['']])(
    'cut %j into pieces that fit, and lose nothing',
    (text) => {
      const cut = pieces(text).map(([from, to]) => text.slice(from, to))
      expect(cut.join('')).toBe(text)
      for (const piece of cut) {
        const columns = [...piece].reduce((sum, character) => sum + (character.codePointAt(0)! > 0x2e7f ? 2 : 1), 0)
        expect(columns).toBeLessThanOrEqual(90)
        expect(piece).not.toMatch(/[\uD800-\uDBFF]$|^[\uDC00-\uDFFF]/)
      }
    },
  )

  it('show the piece that is heard, with its word', () => {
    const start = text.indexOf('Seine')
    expect(captionOf([entry({ text, heard: { start, end: start + 6 } })], null)).toEqual({
      speaker: 'face',
      before: 'The city lies on the ',
      now: 'Seine,',
      after: ' and has two million people who live,',
    })
  })

  it('never run ahead of the voice: an answer that is not heard yet is not shown', () => {
    const question = captionOf([entry({ speaker: 'user', text: 'Where?' })], null)
    expect(question).toMatchObject({ speaker: 'user', before: 'Where?' })
    expect(captionOf([entry({ speaker: 'user', text: 'Where?' }), entry({ text })], question)).toBe(question)
  })

  it('stay for a while when the sound is over', () => {
    const heard = captionOf([entry({ text: 'Paris.', heard: { start: 0, end: 6 } })], null)
    expect(captionOf([entry({ text: 'Paris.', state: 'done' })], heard)).toMatchObject({ before: 'Paris.', now: '' })
  })
})

describe('the words', () => {
  it('exist in both languages for every problem, with what to do', () => {
    const [en, zh] = [wordsFor('en-GB'), wordsFor('zh-TW')]
    expect(Object.keys(zh.problems)).toEqual(Object.keys(en.problems))
    const problem = { kind: 'origin-refused', origin: 'https://a.example' } as const
    for (const words of [en, zh]) expect(adviceFor(words, problem).advice).toContain('https://a.example')
  })
})

describe('<visavis-avatar>', () => {
  let browser: FakeBrowser
  let avatar: VisavisAvatar

  beforeEach(() => {
    browser = fakeBrowser()
    vi.spyOn(HTMLMediaElement.prototype, 'srcObject', 'set').mockReturnValue(undefined)
    vi.spyOn(HTMLMediaElement.prototype, 'play').mockResolvedValue(undefined)
    if (!customElements.get('visavis-avatar')) customElements.define('visavis-avatar', VisavisAvatar)
  })
  afterEach(() => {
    avatar.remove()
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })

  function place(attributes: Record<string, string>) {
    avatar = document.createElement('visavis-avatar') as VisavisAvatar
    for (const [name, value] of Object.entries({ server: 'https://host', avatar: 'man', ...attributes })) avatar.setAttribute(name, value)
    document.body.append(avatar)
    return avatar
  }
  const find = (selector: string) => avatar.shadowRoot!.querySelector<HTMLElement>(selector)!
  const settled = () => new Promise((resolve) => setTimeout(resolve))

  async function connected(attributes: Record<string, string> = {}) {
    place(attributes)
    const calling = avatar.call()
    await vi.waitFor(() => expect(FakePeerConnection.count).toBe(1))
    FakePeerConnection.latest.openChannel()
    await calling
    await settled()
    return FakePeerConnection.latest
  }

  it('gives its attributes to the call, and follows them while it runs', async () => {
    const peer = await connected({ voice: 'joe', lang: 'zh-CN', background: '#203040', greeting: 'Hi', conversation: 'c-1' })
    expect(offerOf(browser.fetch).session).toEqual({
      type: 'realtime',
      conversation_id: 'c-1',
      greeting: 'Hi',
      avatar: { type: 'video-avatar', character: 'man', video: { background: { color: '#203040' } } },
      audio: { input: { transcription: { language: 'zh' } }, output: { voice: 'joe' } },
    })
    avatar.setAttribute('avatar', 'mascot')
    expect(peer.channel.sent.at(-1)).toMatchObject({ type: 'session.update', session: { avatar: { character: 'mascot' } } })
  })

  it('explains the microphone before anything is asked for', async () => {
    place({ lang: 'en' })
    await settled()
    expect(find('.why').textContent).toContain('What you say goes to host')
    expect(browser.getUserMedia).not.toHaveBeenCalled()
  })

  it('asks for no microphone where the page wants none', async () => {
    await connected({ microphone: 'off' })
    expect(browser.getUserMedia).not.toHaveBeenCalled()
    expect(find('.microphone').hidden).toBe(true)
  })

  it('mutes by its attribute, by its method and from the start', async () => {
    await connected({ muted: '' })
    expect(avatar.state.microphone).toBe('muted')
    avatar.mute(false)
    expect(avatar.state.microphone).toBe('on')
    expect(avatar.hasAttribute('muted')).toBe(false)
  })

  it('shows what is said as text, and tells it by an event', async () => {
    const lines = vi.fn()
    document.addEventListener('visavis:transcript', (event) => lines((event as CustomEvent).detail), { once: true })
    const peer = await connected()
    const text = '<img src=x onerror=alert(1)> שלום 👋'
    peer.say({
      type: 'conversation.item.added',
      previous_item_id: null,
      item: { id: 'u1', type: 'message', role: 'user', status: 'completed', content: [{ type: 'input_text', text }] },
    })
    await settled()
    expect(find('.log').textContent).toContain(text)
    expect(avatar.shadowRoot!.querySelector('[src="x"]')).toBeNull()
    expect(lines).toHaveBeenCalledWith([expect.objectContaining({ speaker: 'user', text })])
  })

  it('says what is wrong and what to do, in the card and by an event', async () => {
    const errors = vi.fn()
    place({ lang: 'en' }).addEventListener('visavis:error', (event) => errors((event as CustomEvent).detail))
    browser.fetch.mockResolvedValue(reply(503, '{}', { 'Retry-After': '7' }))
    await avatar.call()
    await settled()
    expect(find('.card').textContent).toContain('All places are taken')
    expect(find('.start').textContent).toBe('Try again in 7 s')
    expect(find('.start').getAttribute('aria-disabled')).toBe('true')
    expect(errors).toHaveBeenCalledWith(expect.objectContaining({ kind: 'server-full', fatal: true, title: 'All places are taken' }))
  })

  it.each([
    ['{"value":"ek_7","expires_at":1}', 'Bearer ek_7'],
    ['ek_8\n', 'Bearer ek_8'],
  ])("takes its token from the page's back end: %j", async (body, expected) => {
    browser.fetch.mockImplementation((url) =>
      Promise.resolve(String(url) === '/token' ? reply(200, body) : reply(201, 'v=0', { Location: '/v1/realtime/calls/rtc_7' })),
    )
    await connected({ 'token-url': '/token' })
    expect(offerOf(browser.fetch).headers).toEqual({ Authorization: expected })
  })

  it('says so when the back end gives none', async () => {
    browser.fetch.mockImplementation(() => Promise.resolve(reply(502, 'sorry')))
    place({ 'token-url': '/token', lang: 'en' })
    await avatar.call()
    await settled()
    expect(find('.card').textContent).toContain('/token: HTTP 502')
  })

  it('ends its call when the bubble closes and when it leaves the page', async () => {
    await connected({ mode: 'bubble' })
    expect(avatar.hasAttribute('open')).toBe(true)
    avatar.removeAttribute('open')
    expect(avatar.state.phase).toBe('ended')
    void avatar.call()
    avatar.remove()
    expect(avatar.state.phase).toBe('ended')
  })
})
