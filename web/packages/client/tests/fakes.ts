// Fakes of the browser's call API for the tests: a peer connection that a test drives by hand, and a fetch
// that answers as the server would.

import { vi } from 'vitest'
import type { VisavisCall } from '../src/call'
import type { ClientEvent } from '../src/protocol'

export class FakeTrack {
  enabled = true
  onended: (() => void) | null = null
  stop = vi.fn()
  constructor(readonly kind: 'audio' | 'video') {}
}

export class FakeMediaStream {
  private readonly tracks: FakeTrack[]
  constructor(tracks: FakeTrack[] = []) {
    this.tracks = [...tracks]
  }
  addTrack(track: FakeTrack) {
    this.tracks.push(track)
  }
  removeTrack(track: FakeTrack) {
    this.tracks.splice(this.tracks.indexOf(track), 1)
  }
  getTracks() {
    return [...this.tracks]
  }
  getAudioTracks() {
    return this.tracks.filter((track) => track.kind === 'audio')
  }
}

class FakeDataChannel {
  readyState = 'connecting'
  onopen: (() => void) | null = null
  onclose: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  readonly sent: ClientEvent[] = []
  constructor(readonly label: string) {}
  send(text: string) {
    this.sent.push(JSON.parse(text) as ClientEvent)
  }
  close() {
    this.readyState = 'closed'
  }
}

export class FakePeerConnection {
  static latest: FakePeerConnection
  static count = 0
  iceConnectionState = 'new'
  connectionState = 'new'
  oniceconnectionstatechange: (() => void) | null = null
  onconnectionstatechange: (() => void) | null = null
  ontrack: ((event: { track: FakeTrack }) => void) | null = null
  localDescription: { sdp: string } | null = null
  remoteDescription: { sdp: string } | null = null
  channel!: FakeDataChannel
  isClosed = false
  /** What the offer would hold, e.g. "audio recvonly". */
  readonly media: string[] = []

  constructor() {
    FakePeerConnection.latest = this
    FakePeerConnection.count += 1
  }
  createDataChannel(label: string) {
    return (this.channel = new FakeDataChannel(label))
  }
  addTransceiver(what: string | FakeTrack, { direction }: { direction: string }) {
    this.media.push(`${typeof what === 'string' ? what : `${what.kind} track`} ${direction}`)
    return { sender: { replaceTrack: this.replaceTrack } }
  }
  readonly replaceTrack = vi.fn(() => Promise.resolve())
  /** What `getStats` gives. */
  stats: object[] = []
  getStats() {
    return Promise.resolve(new Map(this.stats.map((stat, index) => [String(index), stat])))
  }
  createOffer() {
    return Promise.resolve({ type: 'offer', sdp: `v=0 ${this.media.join(', ')}` })
  }
  setLocalDescription(description: { sdp: string }) {
    this.localDescription = description
    return Promise.resolve()
  }
  setRemoteDescription(description: { sdp: string }) {
    this.remoteDescription = description
    return Promise.resolve()
  }
  close() {
    this.isClosed = true
  }

  openChannel() {
    this.channel.readyState = 'open'
    this.channel.onopen?.()
  }
  closeChannel() {
    this.channel.readyState = 'closed'
    this.channel.onclose?.()
  }
  ice(state: string) {
    this.iceConnectionState = state
    this.oniceconnectionstatechange?.()
  }
  say(...events: object[]) {
    for (const event of events) this.channel.onmessage?.({ data: JSON.stringify(event) })
  }
}

export interface FakeBrowser {
  fetch: ReturnType<typeof vi.fn>
  microphone: FakeTrack
  getUserMedia: ReturnType<typeof vi.fn>
}

/** What the latest offer held. */
export function offerOf(fetch: FakeBrowser['fetch']): { sdp: string; session: Record<string, unknown>; headers: Record<string, string> } {
  const [, request] = fetch.mock.calls.filter(([url]) => String(url).endsWith('/calls')).at(-1) as [string, RequestInit]
  const form = request.body as FormData
  const session = JSON.parse(String(form.get('session'))) as Record<string, unknown>
  return { sdp: String(form.get('sdp')), session, headers: request.headers as Record<string, string> }
}

/** Puts the fakes in place; the server answers 201 until a test says otherwise. */
export function fakeBrowser(): FakeBrowser {
  const microphone = new FakeTrack('audio')
  FakePeerConnection.count = 0
  const getUserMedia = vi.fn(() => Promise.resolve(new FakeMediaStream([microphone])))
  const fetch = vi.fn((_url: string, _init?: RequestInit) => Promise.resolve(reply(201, 'v=0 answer', { Location: '/v1/realtime/calls/rtc_7' })))
  vi.stubGlobal('RTCPeerConnection', FakePeerConnection)
  vi.stubGlobal('RTCRtpReceiver', { getCapabilities: () => ({ codecs: [{ mimeType: 'video/H264' }] }) })
  vi.stubGlobal('MediaStream', FakeMediaStream)
  vi.stubGlobal('fetch', fetch)
  Object.defineProperty(navigator, 'mediaDevices', { value: { getUserMedia }, configurable: true })
  return { fetch, microphone, getUserMedia }
}

export function reply(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers })
}

/** Starts a call and has the server open it; returns its peer connection. Fake timers must be on. */
export async function connect(call: VisavisCall, wanted = { microphone: true }): Promise<FakePeerConnection> {
  const starting = call.start(wanted)
  await vi.advanceTimersByTimeAsync(0)
  FakePeerConnection.latest.openChannel()
  await starting
  return FakePeerConnection.latest
}
