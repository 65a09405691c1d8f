import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { VisavisCall } from '../src/call'
import { Retry } from '../src/retry'
import type { CallOptions } from '../src/types'
import { connect, fakeBrowser, FakePeerConnection, offerOf, reply, type FakeBrowser } from './fakes'
import { answerItem, created, done, itemOf, says, started, stopped, userItem } from './script'

let browser: FakeBrowser
let call: VisavisCall
let hints: Map<string, object>

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(0)
  browser = fakeBrowser()
})
afterEach(() => {
  call.hangUp()
  vi.restoreAllMocks()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function make(options: Partial<CallOptions> = {}) {
  call = new VisavisCall({ server: 'https://host/', ...options })
  hints = new Map()
  call.on('hint', ({ kind, hint }) => (hint ? hints.set(kind, hint) : hints.delete(kind)))
  return connect(call)
}

const ANSWER = [created('r1'), answerItem('a1', 'u1'), itemOf('r1', 'a1'), started('r1'), says('a1', 'Paris.'), done('r1'), stopped('r1')]
const offers = () => browser.fetch.mock.calls.filter(([url]) => String(url).endsWith('/calls')).length

/** The waiting try is made, and the server opens the channel. */
async function back(millis: number) {
  await vi.advanceTimersByTimeAsync(millis)
  FakePeerConnection.latest.openChannel()
  await vi.advanceTimersByTimeAsync(0)
  return FakePeerConnection.latest
}

describe('a lost call', () => {
  it('is tried again after half a second, with the microphone, the stream and the conversation kept', async () => {
    const streams = vi.fn()
    const peer = await make({ conversationId: 'c-1' })
    call.on('stream', streams)
    peer.say(userItem('u1', null, 'What is the capital of France?'), ...ANSWER)
    peer.closeChannel()
    expect(call.state).toMatchObject({ phase: 'reconnecting', attempt: 1, problem: { kind: 'connection-lost' }, microphone: 'on' })
    expect(hints.get('reconnecting')).toMatchObject({ attempt: 1, waitSeconds: 1 })
    expect(offers()).toBe(1)
    const second = await back(500)
    expect(offers()).toBe(2)
    expect(call.state).toMatchObject({ phase: 'listening', attempt: 0, problem: null, microphone: 'on' })
    expect(hints.size).toBe(0)
    expect(second.media[0]).toBe('audio track sendrecv')
    expect(browser.getUserMedia).toHaveBeenCalledTimes(1)
    expect(streams).not.toHaveBeenCalled()
    expect(call.entries.map((entry) => entry.text)).toEqual(['What is the capital of France?', 'Paris.'])
  })

  it('frees its old place first, asks for the same conversation and for no greeting', async () => {
    const peer = await make({ conversationId: 'c-1', session: { greeting: 'Hello!' } })
    expect(offerOf(browser.fetch).session.greeting).toBe('Hello!')
    peer.say(userItem('u1', null, 'hi'))
    peer.closeChannel()
    await back(500)
    expect(browser.fetch.mock.calls.map(([url]) => new URL(String(url)).pathname)).toEqual([
      '/v1/realtime/calls',
      '/v1/realtime/calls/rtc_7/hangup',
      '/v1/realtime/calls',
    ])
    expect(offerOf(browser.fetch).session).toMatchObject({ conversation_id: 'c-1', greeting: '' })
  })

  it('does not show again what the server tells of before, and goes on below it', async () => {
    const peer = await make({ conversationId: 'c-1' })
    peer.say(userItem('u1', null, 'hi'), ...ANSWER)
    peer.closeChannel()
    const second = await back(500)
    second.say(userItem('past_0', null, 'hi'), answerItem('past_1', 'past_0'), says('past_1', 'Paris.'), userItem('u2', 'past_1', 'And Rome?'))
    expect(call.entries.map((entry) => entry.text)).toEqual(['hi', 'Paris.', 'And Rome?'])
    expect(second.channel.sent).toEqual([])
  })

  it('takes an id that a restarted server gives again for another item, and keeps the times of the old one', async () => {
    const peer = await make({ conversationId: 'c-1' })
    peer.say(userItem('u1', null, 'hi'))
    await vi.advanceTimersByTimeAsync(2000)
    peer.say(...ANSWER)
    const before = call.transcript()
    expect(before[1]!.startSeconds).toBeGreaterThan(1)
    peer.closeChannel()
    const second = await back(500)
    second.say(userItem('u2', null, 'And Rome?'), created('r1'), answerItem('a1', 'u2'), itemOf('r1', 'a1'), says('a1', 'Also.'), done('r1'))
    expect(call.entries.map((entry) => entry.text)).toEqual(['hi', 'Paris.', 'And Rome?', 'Also.'])
    expect(new Set(call.entries.map((entry) => entry.id)).size).toBe(4)
    expect(call.transcript().slice(0, 2)).toEqual(before)
  })

  it('shows what an earlier call has left behind when it begins', async () => {
    const peer = await make({ conversationId: 'c-1' })
    peer.say(userItem('past_0', null, 'yesterday'))
    expect(call.entries).toMatchObject([{ id: 'past_0', text: 'yesterday' }])
    expect(call.transcript()).toMatchObject([{ startSeconds: 0, endSeconds: 0 }])
  })

  it('tells a server that keeps nothing what was said, and does not show that twice either', async () => {
    const peer = await make()
    peer.say(userItem('u1', null, 'hi'), ...ANSWER)
    peer.closeChannel()
    const second = await back(500)
    expect(second.channel.sent).toMatchObject([
      { type: 'conversation.item.create', item: { id: 'earlier_0', role: 'user', content: [{ type: 'input_text', text: 'hi' }] } },
      { type: 'conversation.item.create', item: { id: 'earlier_1', role: 'assistant', content: [{ type: 'output_text', text: 'Paris.' }] } },
    ])
    second.say(userItem('earlier_0', null, 'hi'), { ...answerItem('earlier_1', 'earlier_0') }, userItem('u2', 'earlier_1', 'next'))
    expect(call.entries.map((entry) => entry.text)).toEqual(['hi', 'Paris.', 'next'])
  })

  it('sends what was typed but not confirmed when it is back', async () => {
    const peer = await make({ conversationId: 'c-1' })
    peer.say(created('r1'), started('r1'))
    call.sendText('And Rome?')
    peer.closeChannel()
    expect(call.sendText('too early')).toBe(false)
    const second = await back(500)
    expect(second.channel.sent.map((event) => event.type)).toEqual(['conversation.item.create', 'response.create'])
    expect(call.entries).toMatchObject([{ text: 'And Rome?', state: 'unsent' }])
  })

  it('keeps settings that were changed meanwhile and before', async () => {
    const peer = await make()
    call.update({ audio: { output: { voice: 'a' } } })
    peer.closeChannel()
    call.update({ instructions: 'Be brief.' })
    await back(500)
    expect(offerOf(browser.fetch).session).toMatchObject({ instructions: 'Be brief.', audio: { output: { voice: 'a' } } })
  })

  it('is tried at once when the browser is online again', async () => {
    const peer = await make()
    browser.fetch.mockRejectedValue(new TypeError('offline'))
    peer.closeChannel()
    await vi.advanceTimersByTimeAsync(500)
    expect(call.state.attempt).toBe(2)
    browser.fetch.mockResolvedValue(reply(201, 'v=0'))
    window.dispatchEvent(new Event('online'))
    await back(0)
    expect(call.state.phase).toBe('listening')
  })

  it('is given up after two minutes, in words', async () => {
    const peer = await make()
    browser.fetch.mockRejectedValue(new TypeError('offline'))
    peer.closeChannel()
    await vi.advanceTimersByTimeAsync(119_000)
    expect(call.state.phase).toBe('reconnecting')
    await vi.advanceTimersByTimeAsync(2_000)
    expect(call.state).toMatchObject({ phase: 'ended', problem: { kind: 'connection-lost' } })
    expect(hints.size).toBe(0)
    expect(browser.microphone.stop).toHaveBeenCalled()
  })

  it('is not tried again when the server says no for good', async () => {
    const peer = await make()
    browser.fetch.mockResolvedValue(reply(401, '{"error":{"code":"client_secret_expired","message":"expired"}}'))
    peer.closeChannel()
    await vi.advanceTimersByTimeAsync(500)
    expect(call.state.problem).toEqual({ kind: 'token-refused', message: 'expired', expired: true })
  })

  it('waits as long as a full server asks for', async () => {
    const peer = await make()
    browser.fetch.mockResolvedValue(reply(503, '{}', { 'Retry-After': '6' }))
    peer.closeChannel()
    await vi.advanceTimersByTimeAsync(500)
    expect(hints.get('reconnecting')).toMatchObject({ attempt: 2, waitSeconds: 6 })
  })

  it('is tried again when the server restarts', async () => {
    const peer = await make()
    peer.say({ type: 'session.ending', reason: 'shutdown', remaining_ms: 0 })
    expect(call.state).toMatchObject({ phase: 'reconnecting', problem: { kind: 'session-ended', reason: 'shutdown' } })
    await back(500)
    expect(call.state.phase).toBe('listening')
  })

  it('stays ended when the user hangs up meanwhile', async () => {
    const peer = await make()
    peer.closeChannel()
    call.hangUp()
    expect(call.state).toMatchObject({ phase: 'ended', problem: null })
    await vi.advanceTimersByTimeAsync(20_000)
    expect(offers()).toBe(1)
    expect(FakePeerConnection.count).toBe(1)
  })
})

describe('the waits', () => {
  it('double from half a second to eight, shortened by chance, and end after two minutes', () => {
    const retry = new Retry(0)
    expect([1, 2, 3, 4, 5, 6].map(() => retry.next(0, 0))).toEqual([500, 1000, 2000, 4000, 8000, 8000])
    expect(retry.next(0, 1)).toBe(6000)
    expect(retry.next(0, 0, 30_000)).toBe(30_000)
    expect(retry.next(119_000, 0)).toBe(1000)
    expect(retry.next(120_000, 0)).toBeNull()
  })
})
