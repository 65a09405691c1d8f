import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { VisavisCall } from '../src/call'
import type { Hint } from '../src/problems'
import { cleared, created, done, started, truncated, userItem } from './script'
import { connect, fakeBrowser, FakePeerConnection, FakeTrack, offerOf, reply, type FakeBrowser } from './fakes'

const SERVER = 'https://host/face'
const URL = `${SERVER}/v1/realtime/calls`
let browser: FakeBrowser
let call: VisavisCall
let hints: Hint['kind'][]

beforeEach(() => {
  vi.useFakeTimers()
  browser = fakeBrowser()
  call = new VisavisCall({ server: SERVER, reconnect: false })
  hints = []
  call.on('hint', ({ kind, hint }) => hint && hints.push(kind))
})
afterEach(() => {
  call.hangUp()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const connected = (wanted = { microphone: true }) => connect(call, wanted)

describe('opening a call', () => {
  it('offers the microphone, a picture to receive and the channel oai-events, and posts it', async () => {
    const peer = await connected()
    expect(peer.media).toEqual(['audio track sendrecv', 'video recvonly'])
    expect(peer.channel.label).toBe('oai-events')
    const [url, request] = browser.fetch.mock.calls[0] as [string, RequestInit]
    expect(url).toBe(URL)
    expect(request.method).toBe('POST')
    expect(offerOf(browser.fetch)).toEqual({ sdp: peer.localDescription?.sdp, session: { type: 'realtime' }, headers: {} })
    expect(peer.remoteDescription).toMatchObject({ sdp: 'v=0 answer' })
    expect(call.state).toMatchObject({ phase: 'listening', microphone: 'on' })
  })

  it('tells with the offer what its user speaks, which conversation goes on and what else is set', async () => {
    const session = { instructions: 'Be brief.', audio: { output: { voice: 'kokoro/af_heart' } } }
    call = new VisavisCall({ server: SERVER, language: 'zh', conversationId: 'visitor-7', session })
    await connected()
    expect(offerOf(browser.fetch).session).toEqual({
      type: 'realtime',
      conversation_id: 'visitor-7',
      instructions: 'Be brief.',
      audio: { input: { transcription: { language: 'zh' } }, output: { voice: 'kokoro/af_heart' } },
    })
  })

  it('puts sound and picture into one stream, even if the server names two', async () => {
    let stream: MediaStream | undefined
    call.on('stream', (now) => (stream = now))
    const peer = await connected()
    peer.ontrack?.({ track: new FakeTrack('audio') })
    peer.ontrack?.({ track: new FakeTrack('video') })
    expect(stream?.getTracks().map((track) => track.kind)).toEqual(['audio', 'video'])
  })

  it.each([
    ['NotAllowedError', 'microphone-refused'],
    ['NotFoundError', 'microphone-missing'],
    ['NotReadableError', 'microphone-busy'],
  ])('goes on without a microphone after %s', async (name, kind) => {
    browser.getUserMedia.mockRejectedValue(new DOMException('', name))
    const peer = await connected()
    expect(peer.media).toEqual(['audio sendrecv', 'video recvonly'])
    expect(call.state).toMatchObject({ phase: 'listening', microphone: 'none' })
    expect(hints).toEqual([kind])
    expect(call.sendText('hello')).toBe(true)
  })

  it('says that the page is not secure when the browser hides the microphone', async () => {
    Object.defineProperty(navigator, 'mediaDevices', { value: undefined, configurable: true })
    await connected()
    expect(hints).toEqual(['insecure-page'])
  })

  it('asks for nothing when the user wants to type only', async () => {
    await connected({ microphone: false })
    expect(browser.getUserMedia).not.toHaveBeenCalled()
    expect(hints).toEqual([])
  })

  it.each([
    [503, { 'Retry-After': '17' }, '{}', { kind: 'server-full', retryAfterSeconds: 17 }],
    [503, {}, 'busy', { kind: 'server-full', retryAfterSeconds: 10 }],
    [503, { 'Retry-After': '5' }, '{"error":{"code":"shutting_down"}}', { kind: 'server-stopping', retryAfterSeconds: 5 }],
    [502, {}, '<html>', { kind: 'unreachable' }],
    [400, {}, '{"error":{"message":"no Opus in the offer"}}', { kind: 'call-refused', message: 'no Opus in the offer' }],
    [500, {}, '<html>', { kind: 'call-refused', message: 'HTTP 500' }],
  ])('tells what a reply of %i %j means', async (status, headers, body, problem) => {
    browser.fetch.mockResolvedValue(reply(status, body, headers as Record<string, string>))
    await call.start()
    expect(call.state).toMatchObject({ phase: 'ended', problem })
    expect(browser.microphone.stop).toHaveBeenCalled()
  })

  it('tells that the server cannot be reached', async () => {
    browser.fetch.mockRejectedValue(new TypeError('Failed to fetch'))
    await call.start()
    expect(call.state.problem).toEqual({ kind: 'unreachable' })
  })

  it('goes on with sound alone when the browser has no H.264', async () => {
    vi.stubGlobal('RTCRtpReceiver', { getCapabilities: () => ({ codecs: [{ mimeType: 'video/VP8' }] }) })
    const peer = await connected()
    expect(peer.media).toEqual(['audio track sendrecv'])
    expect(call.state.phase).toBe('listening')
    expect(hints).toEqual(['no-h264'])
  })

  it('tells that the browser has no WebRTC before it asks for anything', async () => {
    vi.stubGlobal('RTCPeerConnection', undefined)
    await call.start()
    expect(call.state.problem).toEqual({ kind: 'no-webrtc' })
    expect(browser.getUserMedia).not.toHaveBeenCalled()
  })

  it.each([
    ['ICE fails', (peer: FakePeerConnection) => Promise.resolve(peer.ice('failed'))],
    ['nothing opens in 15 s', () => vi.advanceTimersByTimeAsync(15_000)],
  ])('tells that media cannot get through when %s, and frees the call', async (_, happens) => {
    const starting = call.start()
    await vi.advanceTimersByTimeAsync(0)
    await happens(FakePeerConnection.latest)
    await starting
    expect(call.state.problem).toEqual({ kind: 'no-media-path' })
    expect(browser.fetch.mock.calls.at(-1)?.[0]).toBe(`${URL}/rtc_7/hangup`)
  })
})

describe('ending a call', () => {
  it('hangs up with a request that outlives the page, and releases everything', async () => {
    const peer = await connected()
    call.hangUp()
    expect(browser.fetch).toHaveBeenLastCalledWith(`${URL}/rtc_7/hangup`, { method: 'POST', headers: {}, keepalive: true })
    expect(peer.isClosed).toBe(true)
    expect(browser.microphone.stop).toHaveBeenCalled()
    expect(call.state).toMatchObject({ phase: 'ended', problem: null })
  })

  it('hangs up a call whose reply comes after the user has cancelled', async () => {
    let answer: (reply: Response) => void = () => undefined
    browser.fetch.mockImplementationOnce(() => new Promise<Response>((resolve) => (answer = resolve)))
    void call.start()
    await vi.advanceTimersByTimeAsync(0)
    call.hangUp()
    answer(reply(201, 'v=0', { Location: '/v1/realtime/calls/rtc_late' }))
    await vi.advanceTimersByTimeAsync(0)
    expect(browser.fetch.mock.calls.at(-1)?.[0]).toBe(`${URL}/rtc_late/hangup`)
    expect(call.state).toMatchObject({ phase: 'ended', problem: null })
  })

  it('drops a microphone that is allowed only after the user has cancelled', async () => {
    let allow: (stream: unknown) => void = () => undefined
    browser.getUserMedia.mockImplementationOnce(() => new Promise((resolve) => (allow = resolve)))
    void call.start()
    call.hangUp()
    allow({ getAudioTracks: () => [browser.microphone] })
    await vi.advanceTimersByTimeAsync(0)
    expect(browser.microphone.stop).toHaveBeenCalled()
    expect(browser.fetch).not.toHaveBeenCalled()
  })

  it('is lost when the data channel closes', async () => {
    const peer = await connected()
    peer.closeChannel()
    expect(call.state).toMatchObject({ phase: 'ended', problem: { kind: 'connection-lost' } })
  })

  it('is lost when ICE stays disconnected, and goes on when it recovers', async () => {
    const peer = await connected()
    peer.ice('disconnected')
    expect(hints).toEqual(['unsteady'])
    peer.ice('connected')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(call.state.phase).toBe('listening')
    peer.ice('disconnected')
    await vi.advanceTimersByTimeAsync(5_000)
    expect(call.state.problem).toEqual({ kind: 'connection-lost' })
  })

  it('warns of the end that the server announces, and names its reason', async () => {
    const peer = await connected()
    peer.say({ type: 'session.ending', reason: 'max_duration', remaining_ms: 30_000 })
    expect(hints).toEqual(['session-ending'])
    peer.say({ type: 'session.ending', reason: 'max_duration', remaining_ms: 0 })
    peer.closeChannel()
    expect(call.state.problem).toEqual({ kind: 'session-ended', reason: 'max_duration' })
  })

  it('takes the warning of idleness back when the user speaks', async () => {
    const taken: string[] = []
    call.on('hint', ({ kind, hint }) => hint ?? taken.push(kind))
    const peer = await connected()
    peer.say({ type: 'session.ending', reason: 'idle_timeout', remaining_ms: 10_000 })
    expect(taken).toEqual([])
    peer.say({ type: 'input_audio_buffer.speech_started', item_id: 'u' })
    expect(taken).toEqual(['session-ending'])
  })
})

describe('during a call', () => {
  it('mutes by silencing the track, not by ending it', async () => {
    await connected()
    call.setMuted(true)
    expect(browser.microphone.enabled).toBe(false)
    expect(call.state.microphone).toBe('muted')
    call.setMuted(false)
    expect(browser.microphone.enabled).toBe(true)
  })

  it('sends nothing that is empty, too long or outside of a call', async () => {
    expect(call.sendText('early')).toBe(false)
    const peer = await connected()
    expect(call.sendText(' \n ')).toBe(false)
    expect(call.sendText('x'.repeat(4001))).toBe(false)
    expect(peer.channel.sent).toEqual([])
    expect(call.sendText('x'.repeat(4000))).toBe(true)
  })

  it('shows a typed message at once and sends it when the answer it stops has stopped', async () => {
    const peer = await connected()
    peer.say(created('r1'), started('r1'))
    expect(call.state.phase).toBe('speaking')
    call.sendText('  What about Rome?  ')
    expect(call.entries).toMatchObject([{ text: 'What about Rome?', state: 'unsent' }])
    peer.say(cleared('r1'), done('r1', 'cancelled'))
    expect(peer.channel.sent.map((event) => event.type)).toEqual([
      'response.cancel',
      'output_audio_buffer.clear',
      'conversation.item.create',
      'response.create',
    ])
    expect(call.state.phase).toBe('thinking')
  })

  it('goes on after 3 s when the server does not confirm a stop', async () => {
    const peer = await connected()
    peer.say(created('r1'), started('r1'))
    call.sendText('hello?')
    await vi.advanceTimersByTimeAsync(3_000)
    expect(peer.channel.sent.at(-1)?.type).toBe('response.create')
  })

  it('asks for the text of a truncated answer', async () => {
    const peer = await connected()
    peer.say(truncated('a1'))
    expect(peer.channel.sent).toMatchObject([{ type: 'conversation.item.retrieve', item_id: 'a1' }])
  })

  it('shows errors of the server and survives what it does not understand', async () => {
    const peer = await connected()
    peer.channel.onmessage?.({ data: 'not json' })
    peer.channel.onmessage?.({ data: new ArrayBuffer(4) })
    peer.say({ type: 'unheard.of' }, { type: 'response.done' }, { type: 'error' }, { type: 'toString' }, userItem('u1', null, 'still here'))
    peer.say({ type: 'error', error: { message: 'The model is slow.' } })
    expect(hints).toEqual(['server-error'])
    expect(call.entries).toMatchObject([{ text: 'still here' }])
  })
})
