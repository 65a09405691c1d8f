import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MAX_TEXT_LENGTH, VisavisCall } from '../src/call'
import type { Hint } from '../src/problems'
import { connect, fakeBrowser, FakeMediaStream, FakePeerConnection, FakeTrack, offerOf, reply, type FakeBrowser } from './fakes'
import { answerItem, created, done, itemOf, says, started, stopped, userItem } from './script'

const SERVER = 'https://host'
let browser: FakeBrowser
let call: VisavisCall
let hints: Hint[]

beforeEach(() => {
  vi.useFakeTimers()
  browser = fakeBrowser()
  make()
})
afterEach(() => {
  call.hangUp()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function make(options = {}) {
  call = new VisavisCall({ server: SERVER, reconnect: false, ...options })
  hints = []
  call.on('hint', ({ hint }) => hint && hints.push(hint))
}
const types = (peer: FakePeerConnection) => peer.channel.sent.splice(0).map((event) => event.type)

describe('the token', () => {
  it('goes with the offer and with the end of the call', async () => {
    make({ token: 'ek_1' })
    await connect(call)
    expect(offerOf(browser.fetch).headers).toEqual({ Authorization: 'Bearer ek_1' })
    call.hangUp()
    expect(browser.fetch.mock.lastCall?.[1]).toMatchObject({ headers: { Authorization: 'Bearer ek_1' } })
  })

  it('is asked for before each connection if it is a function', async () => {
    const token = vi.fn().mockResolvedValueOnce('ek_1').mockResolvedValueOnce('ek_2')
    make({ token })
    await connect(call)
    call.hangUp()
    await connect(call)
    expect(offerOf(browser.fetch).headers).toEqual({ Authorization: 'Bearer ek_2' })
  })

  it('that cannot be had ends the call in its own words', async () => {
    make({ token: () => Promise.reject(new Error('the back end is down')) })
    await call.start()
    expect(call.state.problem).toEqual({ kind: 'token-refused', message: 'the back end is down', expired: false })
    expect(browser.fetch).not.toHaveBeenCalled()
  })

  it.each([
    [401, '{"error":{"code":"invalid_api_key","message":"no"}}', { kind: 'token-refused', message: 'no', expired: false }],
    [401, '{"error":{"code":"client_secret_expired","message":"old"}}', { kind: 'token-refused', message: 'old', expired: true }],
    [403, '{"error":{"code":"origin_not_allowed"}}', { kind: 'origin-refused', origin: location.origin }],
    [403, '{"error":{"message":"no photos"}}', { kind: 'call-refused', message: 'no photos' }],
  ])('or an origin is refused: %i %s', async (status, body, problem) => {
    browser.fetch.mockResolvedValue(reply(status, body))
    await call.start()
    expect(call.state.problem).toEqual(problem)
  })

  it('or not: a browser that hides the refusal of an origin is seen through', async () => {
    browser.fetch.mockImplementation((url, init) =>
      init?.mode === 'no-cors' ? Promise.resolve(reply(200, '')) : Promise.reject(new TypeError(`Failed to fetch ${url}`)),
    )
    await call.start()
    expect(call.state.problem).toEqual({ kind: 'origin-refused', origin: location.origin })
    expect(browser.fetch.mock.lastCall?.[0]).toBe(`${SERVER}/healthz`)
  })
})

describe('a text', () => {
  it.each([['emoji 👩‍👩‍👧‍👦'], ['שלום עולם'], ['<script>alert(1)</script>'], ['"]}\u0000\\']])('is sent as it is: %j', async (text) => {
    const peer = await connect(call)
    expect(call.sendText(text)).toBe(true)
    expect(peer.channel.sent[0]).toMatchObject({ item: { content: [{ type: 'input_text', text }] } })
    expect(call.entries).toMatchObject([{ text }])
  })

  it('of 100 KB is refused with the limit, and the hint goes with the next that fits', async () => {
    const gone = vi.fn()
    const peer = await connect(call)
    call.on('hint', ({ kind, hint }) => hint ?? gone(kind))
    expect(call.sendText('x'.repeat(100_000))).toBe(false)
    expect(call.say('x'.repeat(MAX_TEXT_LENGTH + 1))).toBe(false)
    expect(hints[0]).toEqual({ kind: 'text-too-long', length: 100_000, limit: MAX_TEXT_LENGTH })
    expect(peer.channel.sent).toEqual([])
    call.sendText('short')
    expect(gone).toHaveBeenCalledWith('text-too-long')
  })
})

describe('say', () => {
  const spoken = (text: string) => ({
    type: 'response.create',
    response: { pre_generated_assistant_message: { type: 'message', role: 'assistant', content: [{ type: 'text', text }] } },
  })

  it('has a text said as it is, one after the other', async () => {
    const peer = await connect(call)
    expect([call.say('One.'), call.say('Two.')]).toEqual([true, true])
    expect(peer.channel.sent).toMatchObject([spoken('One.')])
    peer.say(created('r1'), started('r1'), done('r1'))
    expect(peer.channel.sent).toHaveLength(1)
    peer.say(stopped('r1'))
    expect(peer.channel.sent[1]).toMatchObject(spoken('Two.'))
  })

  it('is tried again when an answer was already on its way, and bounded', async () => {
    const peer = await connect(call)
    call.say('One.')
    const { event_id } = peer.channel.sent[0]!
    peer.say(created('r0'), { type: 'error', error: { code: 'conversation_already_has_active_response', event_id } })
    peer.say(started('r0'), done('r0'), stopped('r0'))
    expect(peer.channel.sent[1]).toMatchObject(spoken('One.'))
    expect(Array.from({ length: 21 }, (_, index) => call.say(`${index}`)).at(-1)).toBe(false)
    expect(hints).toEqual([])
  })
})

describe('interrupt', () => {
  it('stops the answer, drops what waits to be said, and does nothing in silence', async () => {
    const peer = await connect(call)
    call.interrupt()
    expect(types(peer)).toEqual([])
    peer.say(created('r1'), started('r1'))
    call.say('later')
    call.interrupt()
    expect(types(peer)).toEqual(['response.cancel', 'output_audio_buffer.clear'])
    peer.say({ type: 'output_audio_buffer.cleared', response_id: 'r1' }, done('r1', 'cancelled'))
    expect(types(peer)).toEqual([])
    expect(call.state.phase).toBe('listening')
  })
})

describe('settings', () => {
  it('go to the running call, and with the offer of the next', async () => {
    const peer = await connect(call)
    call.update({ instructions: 'Be brief.', avatar: { type: 'video-avatar', character: 'mascot' } })
    expect(peer.channel.sent).toMatchObject([{ type: 'session.update', session: { type: 'realtime', instructions: 'Be brief.' } }])
    call.hangUp()
    await connect(call)
    expect(offerOf(browser.fetch).session).toMatchObject({ instructions: 'Be brief.', avatar: { character: 'mascot' } })
  })

  it('that were changed while the call connected follow at once', async () => {
    const starting = call.start()
    await vi.advanceTimersByTimeAsync(0)
    call.update({ instructions: 'Be brief.' })
    FakePeerConnection.latest.openChannel()
    await starting
    expect(FakePeerConnection.latest.channel.sent).toMatchObject([{ type: 'session.update', session: { instructions: 'Be brief.' } }])
  })
})

describe('push to talk', () => {
  const detection = { type: 'server_vad', threshold: 0.7 }

  it('leaves turns to the button and gives them back as they were found', async () => {
    const peer = await connect(call)
    peer.say({ type: 'session.created', session: { audio: { input: { turn_detection: detection } } } })
    call.pushToTalk(true)
    expect(peer.channel.sent.at(-1)).toMatchObject({ session: { audio: { input: { turn_detection: null } } } })
    expect(browser.microphone.enabled).toBe(false)
    peer.say({ type: 'session.updated', session: { audio: { input: { turn_detection: null } } } })
    call.pushToTalk(false)
    expect(peer.channel.sent.at(-1)).toMatchObject({ session: { audio: { input: { turn_detection: detection } } } })
    expect(browser.microphone.enabled).toBe(true)
  })

  it('hears while the button is held, stops a running answer, and asks for one when it is released', async () => {
    const peer = await connect(call)
    call.pushToTalk(true)
    peer.say(created('r1'), started('r1'))
    types(peer)
    call.talk(true)
    expect(types(peer)).toEqual(['response.cancel', 'output_audio_buffer.clear', 'input_audio_buffer.clear'])
    expect(browser.microphone.enabled).toBe(true)
    expect(call.state.talking).toBe(true)
    peer.say({ type: 'output_audio_buffer.cleared', response_id: 'r1' }, done('r1', 'cancelled'))
    await vi.advanceTimersByTimeAsync(900)
    call.talk(false)
    expect(browser.microphone.enabled).toBe(false)
    expect(types(peer)).toEqual(['input_audio_buffer.commit'])
    peer.say({ type: 'input_audio_buffer.committed', item_id: 'u1' })
    expect(types(peer)).toEqual(['response.create'])
    expect(call.state.phase).toBe('thinking')
  })

  it('takes a touch for a mistake, and silence for nothing said', async () => {
    const peer = await connect(call)
    call.pushToTalk(true)
    types(peer)
    call.talk(true)
    call.talk(false)
    expect(types(peer)).toEqual(['input_audio_buffer.clear'])
    call.talk(true)
    await vi.advanceTimersByTimeAsync(500)
    call.talk(false)
    const { event_id } = peer.channel.sent.at(-1)!
    types(peer)
    peer.say({ type: 'error', error: { code: 'input_audio_buffer_commit_empty', event_id } })
    expect(types(peer)).toEqual([])
    expect(hints).toEqual([])
  })

  it('stays on when how turns are found is set meanwhile', async () => {
    const peer = await connect(call)
    call.pushToTalk(true)
    call.update({ audio: { input: { turn_detection: { type: 'semantic_vad', eagerness: 'low' } } } })
    expect(peer.channel.sent.at(-1)).toMatchObject({ session: { audio: { input: { turn_detection: null } } } })
    call.pushToTalk(false)
    expect(peer.channel.sent.at(-1)).toMatchObject({ session: { audio: { input: { turn_detection: { eagerness: 'low' } } } } })
  })
})

describe('the microphone', () => {
  const another = () => {
    const track = new FakeTrack('audio')
    browser.getUserMedia.mockResolvedValueOnce(new FakeMediaStream([track]))
    return track
  }

  it('can be chosen', async () => {
    void call.start({ deviceId: 'usb' })
    await vi.advanceTimersByTimeAsync(0)
    expect(browser.getUserMedia).toHaveBeenLastCalledWith({ audio: expect.objectContaining({ deviceId: { exact: 'usb' } }) })
  })

  it('is changed in mid-call without a new connection, and stays muted', async () => {
    const peer = await connect(call)
    call.setMuted(true)
    const track = another()
    await call.setMicrophone('usb')
    expect(browser.getUserMedia).toHaveBeenLastCalledWith({ audio: expect.objectContaining({ deviceId: { exact: 'usb' } }) })
    expect(peer.replaceTrack).toHaveBeenCalledWith(track)
    expect(browser.microphone.stop).toHaveBeenCalled()
    expect(track.enabled).toBe(false)
    expect(call.state.microphone).toBe('muted')
  })

  it('comes into a call that began without one', async () => {
    const peer = await connect(call, { microphone: false })
    await call.setMicrophone('')
    expect(peer.replaceTrack).toHaveBeenCalledWith(browser.microphone)
    expect(call.state.microphone).toBe('on')
  })

  it('that was unplugged is told of, and the hint goes with the next one', async () => {
    await connect(call)
    browser.microphone.onended?.()
    expect(call.state.microphone).toBe('none')
    expect(hints).toEqual([{ kind: 'microphone-lost' }])
    const gone = vi.fn()
    call.on('hint', ({ kind, hint }) => hint ?? gone(kind))
    await call.setMicrophone('usb')
    expect(gone).toHaveBeenCalledWith('microphone-lost')
  })

  it('that is refused leaves the old one on', async () => {
    await connect(call)
    browser.getUserMedia.mockRejectedValueOnce(new DOMException('', 'NotReadableError'))
    await call.setMicrophone('usb')
    expect(hints).toEqual([{ kind: 'microphone-busy' }])
    expect(call.state.microphone).toBe('on')
    expect(browser.microphone.stop).not.toHaveBeenCalled()
  })

  it('that is gone gives way to the default one', async () => {
    browser.getUserMedia.mockRejectedValueOnce(new DOMException('', 'OverconstrainedError'))
    const starting = call.start({ deviceId: 'gone' })
    await vi.advanceTimersByTimeAsync(0)
    FakePeerConnection.latest.openChannel()
    await starting
    expect(call.state.microphone).toBe('on')
    expect(hints).toEqual([])
  })

  it('tells how loud it is, from nothing to full', async () => {
    let amplitude = 0
    const analyser = { fftSize: 0, getFloatTimeDomainData: (samples: Float32Array) => samples.fill(amplitude) }
    const context = {
      resume: () => Promise.resolve(),
      close: () => Promise.resolve(),
      createAnalyser: () => analyser,
      createMediaStreamSource: () => ({ connect: vi.fn(), disconnect: vi.fn() }),
    }
    vi.stubGlobal('AudioContext', function () {
      return context
    })
    expect(call.level()).toBe(0)
    await connect(call)
    const levels = [0, 0.01, 0.1, 1].map((loud) => {
      amplitude = loud
      return call.level()
    })
    expect(levels[0]).toBe(0)
    expect(levels[1]).toBeCloseTo(20 / 45)
    expect(levels[2]).toBeCloseTo(40 / 45)
    expect(levels[3]).toBe(1)
  })
})

describe('what is told', () => {
  it('has pieces of answers, the words that are heard, and when each step was done', async () => {
    const told: unknown[] = []
    call.on('token', (token) => told.push(token))
    call.on('word', ({ word, start, end }) => told.push({ word, start, end }))
    call.on('latency', ({ first_sound_ms }) => told.push({ first_sound_ms }))
    const peer = await connect(call)
    const word = { type: 'visavis.word', response_id: 'r1', item_id: 'a1', word: 'Paris', start: 0, end: 5 }
    peer.say(says('a1', 'Par'), word, { type: 'visavis.latency', response_id: 'r1', spoken: true, first_sound_ms: 420 })
    expect(told).toEqual([{ itemId: 'a1', text: 'Par' }, { word: 'Paris', start: 0, end: 5 }, { first_sound_ms: 420 }])
  })

  it('has the conversation with its times', async () => {
    const peer = await connect(call)
    await vi.advanceTimersByTimeAsync(1_000)
    peer.say({ type: 'input_audio_buffer.speech_started', item_id: 'u1' })
    await vi.advanceTimersByTimeAsync(2_000)
    peer.say({ type: 'input_audio_buffer.speech_stopped', item_id: 'u1' }, userItem('u1', null, 'hi'))
    peer.say(created('r1'), answerItem('a1', 'u1'), itemOf('r1', 'a1'), says('a1', 'Hello.'))
    await vi.advanceTimersByTimeAsync(500)
    peer.say(started('r1'))
    await vi.advanceTimersByTimeAsync(1_500)
    peer.say(done('r1'), stopped('r1'))
    expect(call.transcript()).toEqual([
      { speaker: 'user', text: 'hi', startSeconds: 1, endSeconds: 3, interrupted: false },
      { speaker: 'face', text: 'Hello.', startSeconds: 3.5, endSeconds: 5, interrupted: false },
    ])
  })

  it('has the quality of the connection, from what was received since the last look', async () => {
    expect(await call.quality()).toBeNull()
    const peer = await connect(call)
    const at = (packets: number, lost: number, frames: number) => [
      { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.03 },
      { type: 'inbound-rtp', kind: 'audio', packetsReceived: packets, packetsLost: 0, bytesReceived: packets * 100, jitter: 0.004 },
      { type: 'inbound-rtp', kind: 'video', packetsReceived: packets, packetsLost: lost, bytesReceived: packets * 1000, framesDecoded: frames },
    ]
    peer.stats = at(100, 0, 25)
    expect(await call.quality()).toBeNull()
    await vi.advanceTimersByTimeAsync(1_000)
    peer.stats = at(149, 2, 50)
    expect(await call.quality()).toEqual({
      grade: 'fair',
      roundTripMs: 30,
      lossRatio: 0.02,
      jitterMs: 4,
      framesPerSecond: 25,
      bitsPerSecond: 49 * 1100 * 8,
    })
  })
})
