// What a call starts with, what a running one is told, and to which conversation it belongs. The call itself is real, on
// fakes of the browser's part.

import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fakeBrowser, FakePeerConnection, offerOf, reply, type FakeBrowser } from '../packages/client/tests/fakes'
import { useCall } from '../src/stores/call'
import { usePreferences } from '../src/stores/preferences'
import { useServer } from '../src/stores/server'
import { useSettings } from '../src/stores/settings'

let browser: FakeBrowser
beforeEach(() => {
  vi.useFakeTimers()
  localStorage.clear()
  sessionStorage.clear()
  browser = fakeBrowser()
  setActivePinia(createPinia())
})
afterEach(() => {
  useCall().$dispose()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** Whoever opens the page again: with what storage holds, and nothing else. */
function reload() {
  useCall().$dispose()
  setActivePinia(createPinia())
}

async function connect(wanted = { microphone: true }) {
  const call = useCall()
  void call.start(wanted)
  await vi.advanceTimersByTimeAsync(10)
  FakePeerConnection.latest.openChannel()
  await vi.advanceTimersByTimeAsync(10)
  expect(call.state.phase).toBe('listening')
  return call
}

const updates = () => FakePeerConnection.latest.channel.sent.filter((event) => event.type === 'session.update').map((event) => (event as { session: object }).session)
const conversationOf = (offer: { session: Record<string, unknown> }) => offer.session.conversation_id as string

describe('a call', () => {
  it('starts with the settings, the language of the page, and the conversation of the tab', async () => {
    usePreferences().locale = 'zh'
    useSettings().set({ voice: 'emma', avatar: 'woman' })
    const call = await connect()
    const { session } = offerOf(browser.fetch)
    expect(session).toMatchObject({
      avatar: { character: 'woman' },
      audio: { input: { transcription: { language: 'zh' } }, output: { voice: 'emma' } },
      conversation_id: call.conversationId,
    })
  })

  it('is told what changes while it runs, in one message, and nothing else', async () => {
    await connect()
    useSettings().set({ voice: 'emma' })
    useSettings().set({ speed: 1.25 })
    await vi.advanceTimersByTimeAsync(1000)
    expect(updates()).toEqual([{ type: 'realtime', audio: { output: { voice: 'emma', speed: 1.25 } } }])
  })

  it('that begins while something is being changed is told it then', async () => {
    const call = useCall()
    void call.start({ microphone: false })
    await vi.advanceTimersByTimeAsync(10)
    useSettings().set({ voice: 'emma' })
    await vi.advanceTimersByTimeAsync(1000)
    FakePeerConnection.latest.openChannel()
    await vi.advanceTimersByTimeAsync(10)
    expect(updates()).toEqual([{ type: 'realtime', audio: { output: { voice: 'emma' } } }])
  })

  it('gives the key that the visitor entered', async () => {
    usePreferences().key = 'sk-1'
    await connect()
    expect(offerOf(browser.fetch).headers).toMatchObject({ Authorization: 'Bearer sk-1' })
    expect(localStorage.getItem('visavis.key')).toBeNull()
  })

  it('with push to talk leaves turns to the button', async () => {
    usePreferences().pushToTalk = true
    await connect()
    expect(offerOf(browser.fetch).session).toMatchObject({ audio: { input: { turn_detection: null } } })
    expect(browser.microphone.enabled).toBe(false)
    useCall().talk(true)
    expect(browser.microphone.enabled).toBe(true)
  })

  it('shows one hint of a kind, the latest, until it is dismissed', async () => {
    const call = await connect()
    const say = (message: string) => FakePeerConnection.latest.say({ type: 'error', error: { message } })
    say('one')
    say('two')
    expect(call.hints).toEqual([{ kind: 'server-error', message: 'two' }])
    call.dismiss('server-error')
    expect(call.hints).toEqual([])
  })
})

describe('a conversation', () => {
  it('goes on after a reload, and after another call', async () => {
    await connect()
    const first = conversationOf(offerOf(browser.fetch))
    expect(first).toMatch(/^[0-9a-f]{32}$/)
    useCall().hangUp()
    await connect()
    expect(conversationOf(offerOf(browser.fetch))).toBe(first)
    reload()
    await connect()
    expect(conversationOf(offerOf(browser.fetch))).toBe(first)
  })

  it('is another one when a new one is wished for', async () => {
    const call = await connect()
    const first = call.conversationId
    FakePeerConnection.latest.say({
      type: 'conversation.item.added',
      previous_item_id: null,
      item: { id: 'i', type: 'message', role: 'user', status: 'completed', content: [{ type: 'input_text', text: 'hello' }] },
    })
    expect(call.entries).toHaveLength(1)
    call.renew()
    expect(call.entries).toEqual([])
    expect(call.state.phase).toBe('idle')
    expect(call.conversationId).not.toBe(first)
  })

  it('is deleted on the server too, and its call ends', async () => {
    const call = await connect()
    const id = call.conversationId
    browser.fetch.mockImplementation((_url, _init) => Promise.resolve(reply(200, '')))
    await call.forget()
    const requests = browser.fetch.mock.calls.map(([url, init]) => `${(init as RequestInit | undefined)?.method} ${String(url)}`)
    expect(requests.filter((request) => request.startsWith('DELETE'))).toEqual([expect.stringMatching(`/v1/realtime/conversations/${id}$`)])
    expect(call.isLive).toBe(false)
    expect(call.conversationId).not.toBe(id)
  })

  it('stays when the server cannot delete it', async () => {
    const call = await connect()
    const id = call.conversationId
    browser.fetch.mockImplementation(() => Promise.resolve(reply(500, '{"error":{"message":"disk full"}}')))
    await expect(call.forget()).rejects.toThrow('disk full')
    expect(call.conversationId).toBe(id)
  })

  it('of a server that keeps none is deleted here', async () => {
    const call = await connect()
    const id = call.conversationId
    browser.fetch.mockImplementation(() => Promise.resolve(reply(404, '{"error":{"message":"no such conversation"}}')))
    await call.forget()
    expect(call.conversationId).not.toBe(id)
  })
})

describe('settings', () => {
  it('are there again after a reload, as portraits are', () => {
    useSettings().set({ voice: 'emma', name: 'Ada' })
    useSettings().addPortrait({ id: 'sent_1', name: 'Me' })
    reload()
    expect(useSettings().values).toMatchObject({ voice: 'emma', name: 'Ada', avatar: 'sent_1' })
    expect(useSettings().portraits).toEqual([{ id: 'sent_1', name: 'Me' }])
  })

  it('are the server’s again after a reset; a portrait that is dropped is no longer the face', () => {
    const settings = useSettings()
    settings.addPortrait({ id: 'sent_1', name: 'Me' })
    settings.dropPortrait('sent_1')
    expect(settings.values.avatar).toBeNull()
    settings.set({ voice: 'emma' })
    settings.reset()
    expect(settings.patch).toEqual({})
  })

  it('survive storage that is full of rubbish, or forbidden', () => {
    localStorage.setItem('visavis.settings', '{"voice": 7')
    localStorage.setItem('visavis.portraits', '"x"')
    localStorage.setItem('visavis.theme', '"pink"')
    expect(useSettings().values.voice).toBeNull()
    expect(useSettings().portraits).toEqual([])
    expect(usePreferences().theme).toBe('system')
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('quota', 'QuotaExceededError')
    })
    useSettings().set({ voice: 'emma' })
    expect(useSettings().values.voice).toBe('emma')
    vi.restoreAllMocks()
  })
})

describe('the server', () => {
  const AVATARS = { data: [{ id: 'woman', name: 'Mara', default: false }, { id: 'man', name: 'Rafi', default: true }] }
  const answers = (routes: Record<string, unknown>) =>
    browser.fetch.mockImplementation((url) => {
      const path = Object.keys(routes).find((path) => String(url).endsWith(path))
      return Promise.resolve(path ? reply(200, JSON.stringify(routes[path])) : reply(404, '{"error":{"message":"no route"}}'))
    })

  it('tells its voices, models and what it can do', async () => {
    const voices = { data: [{ id: 'joe', name: 'Joe', languages: ['en-US'], default: true }] }
    const defaults = { session: { instructions: 'Be brief.' } }
    answers({
      '/api/status': { features: ['say'] },
      '/v1/avatars': AVATARS,
      '/v1/voices': voices,
      '/v1/models': { data: [{ id: 'qwen' }] },
      '/client_secrets': defaults,
    })
    const server = useServer()
    await server.lookCloser()
    expect(server.defaultAvatar).toBe('man')
    expect(server.defaults.instructions).toBe('Be brief.')
    expect([server.can('say'), server.can('uploads')]).toEqual([true, false])
    expect(server.voices.map(({ id }) => id)).toEqual(['joe'])
    expect(server.models).toEqual(['qwen'])
    expect(useSettings().name).toBe('Rafi')
  })

  it('that does not answer is said to be unreachable', async () => {
    browser.fetch.mockImplementation(() => Promise.reject(new TypeError('fetch failed')))
    const server = useServer()
    await server.lookCloser()
    expect(server.isUnreachable).toBe(true)
  })
})
