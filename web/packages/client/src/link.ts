// The wire: one RTCPeerConnection, its data channel, and the HTTP calls that open and end it.
// It knows how a connection lives and dies, and nothing of what the events mean.

import { Emitter } from './emitter.js'
import { authorization, endpoint, type Token } from './http.js'
import { CallError, NoReply, problemOfReply } from './problems.js'
import { parseServerEvent, type ClientEvent, type ServerEvent } from './protocol.js'
import type { SessionPatch } from './session.js'

/** From the offer's POST to the reply. */
const REPLY_TIMEOUT_MILLIS = 15_000
/** From the reply to the open data channel. */
const OPEN_TIMEOUT_MILLIS = 15_000
/** For the request that frees a lost call's place. */
const RELEASE_TIMEOUT_MILLIS = 3_000
/** ICE may recover from "disconnected" by itself; after this long it is taken for lost. */
const UNSTEADY_GRACE_MILLIS = 5_000

interface LinkEvents {
  event: ServerEvent
  track: MediaStreamTrack
  /** ICE has stopped hearing the server (true) or hears it again (false). */
  unsteady: boolean
  /** The open connection ended, and not by `close`. At most once. */
  lost: void
}

export class PeerLink extends Emitter<LinkEvents> {
  private readonly peer = new RTCPeerConnection()
  private readonly channel = this.peer.createDataChannel('oai-events')
  private readonly closed = new AbortController()
  private readonly callsUrl: string
  private headers: Record<string, string> = {}
  private sender: RTCRtpSender | null = null
  private hangupUrl: string | null = null
  private isOpen = false
  private isHungUp = false
  private failed: (() => void) | null = null
  private grace: ReturnType<typeof setTimeout> | undefined

  constructor(
    server: string,
    private readonly token: Token | undefined,
  ) {
    super()
    this.callsUrl = endpoint(server, 'v1/realtime/calls')
    this.peer.ontrack = ({ track }) => this.emit('track', track)
    this.peer.oniceconnectionstatechange = () => this.watchIce()
    this.peer.onconnectionstatechange = () => {
      // DTLS can fail while ICE is well.
      if (this.peer.connectionState === 'failed') this.breakOff()
    }
    this.channel.onclose = () => this.breakOff()
    this.channel.onmessage = ({ data }: MessageEvent) => {
      const event = parseServerEvent(data)
      if (event && !this.isClosed) this.emit('event', event)
    }
  }

  /**
   * Opens the call and resolves when the data channel is open.
   * @throws CallError, or an AbortError if `close` came first
   */
  async open(microphone: MediaStreamTrack | null, session: SessionPatch): Promise<void> {
    // Also without a microphone: one may come in mid-call.
    const sound = this.peer.addTransceiver(microphone ?? 'audio', { direction: 'sendrecv' })
    this.sender = sound.sender
    if (hasH264()) this.peer.addTransceiver('video', { direction: 'recvonly' })

    await this.authorize()
    await this.peer.setLocalDescription(await this.peer.createOffer())
    const answer = await this.exchange(this.peer.localDescription?.sdp ?? '', session)
    this.closed.signal.throwIfAborted()
    try {
      await this.peer.setRemoteDescription({ type: 'answer', sdp: answer })
    } catch (error) {
      this.closed.signal.throwIfAborted()
      throw new CallError({ kind: 'call-refused', message: String(error) })
    }
    await this.opened()
  }

  /** What is heard of the user from here on; null: nothing. */
  async setMicrophone(track: MediaStreamTrack | null): Promise<void> {
    await this.sender?.replaceTrack(track)
  }

  stats(): Promise<RTCStatsReport> {
    return this.peer.getStats()
  }

  /** Sends one event; false if the channel is not open. */
  send(event: ClientEvent): boolean {
    if (this.channel.readyState !== 'open') return false
    this.channel.send(JSON.stringify(event))
    return true
  }

  /** Tells the server that the call is over, in a way that outlives the page. Errors are of no use to anyone here. */
  hangUp(): void {
    this.isHungUp = true
    if (this.hangupUrl === null) return
    void fetch(this.hangupUrl, { method: 'POST', headers: this.headers, keepalive: true }).catch(() => undefined)
    this.hangupUrl = null
  }

  /** Frees the place of a call that was lost, if the server still holds it and can be reached. */
  async release(): Promise<void> {
    if (this.hangupUrl === null) return
    const signal = AbortSignal.timeout(RELEASE_TIMEOUT_MILLIS)
    const reply = await fetch(this.hangupUrl, { method: 'POST', headers: this.headers, signal }).catch(() => null)
    if (reply) this.hangupUrl = null
  }

  /** Ends everything without a `lost`. */
  close(): void {
    if (this.isClosed) return
    clearTimeout(this.grace)
    this.closed.abort()
    this.channel.close()
    this.peer.close()
  }

  private get isClosed(): boolean {
    return this.closed.signal.aborted
  }

  /**
   * Posts the offer at once: candidates need no waiting, the server learns ours from their checks.
   * A call that is closed meanwhile is let come about, so that it can be hung up by its id.
   */
  private async exchange(offer: string, session: SessionPatch): Promise<string> {
    const signal = AbortSignal.timeout(REPLY_TIMEOUT_MILLIS)
    const body = new FormData()
    body.append('sdp', offer)
    body.append('session', JSON.stringify({ type: 'realtime', ...session }))
    const unreachable = () => {
      throw new NoReply()
    }
    const reply = await fetch(this.callsUrl, { method: 'POST', headers: this.headers, body, signal }).catch(unreachable)
    if (!reply.ok) throw new CallError(await problemOfReply(reply))
    const callId = reply.headers.get('Location')?.split('/').pop()
    if (callId) this.hangupUrl = `${this.callsUrl}/${encodeURIComponent(callId)}/hangup`
    if (this.isHungUp) this.hangUp()
    return await reply.text().catch(unreachable)
  }

  private async authorize(): Promise<void> {
    try {
      this.headers = await authorization(this.token)
    } catch (error) {
      // Whoever gives the tokens may be as unreachable as the server for now.
      const message = error instanceof Error ? error.message : String(error)
      throw new CallError({ kind: 'token-refused', message, expired: false }, true)
    }
    this.closed.signal.throwIfAborted()
  }

  private opened(): Promise<void> {
    if (this.channel.readyState === 'open') {
      this.isOpen = true
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const settle = (done: () => void) => {
        clearTimeout(timeout)
        this.failed = null
        done()
      }
      const noPath = () => settle(() => reject(new CallError({ kind: 'no-media-path' })))
      const timeout = setTimeout(noPath, OPEN_TIMEOUT_MILLIS)
      this.failed = noPath
      this.closed.signal.addEventListener('abort', () => settle(() => reject(this.closed.signal.reason)))
      this.channel.onopen = () => {
        this.isOpen = true
        settle(resolve)
      }
    })
  }

  private watchIce(): void {
    const state = this.peer.iceConnectionState
    if (state === 'failed') {
      this.breakOff()
    } else if (state === 'disconnected' && this.isOpen && this.grace === undefined) {
      this.emit('unsteady', true)
      this.grace = setTimeout(() => this.breakOff(), UNSTEADY_GRACE_MILLIS)
    } else if ((state === 'connected' || state === 'completed') && this.grace !== undefined) {
      clearTimeout(this.grace)
      this.grace = undefined
      this.emit('unsteady', false)
    }
  }

  private breakOff(): void {
    if (this.isClosed) return
    if (!this.isOpen) {
      this.failed?.()
      return
    }
    this.close()
    this.emit('lost', undefined)
  }
}

/** @throws CallError if this browser cannot have a call */
export function checkBrowser(): void {
  if (typeof RTCPeerConnection === 'undefined') throw new CallError({ kind: 'no-webrtc' })
}

/** Firefox has it by a plugin that it fetches after its installation. A browser that does not tell is taken to have it. */
export function hasH264(): boolean {
  const codecs = typeof RTCRtpReceiver === 'undefined' ? undefined : RTCRtpReceiver.getCapabilities?.('video')?.codecs
  return !codecs || codecs.some((codec) => codec.mimeType.toLowerCase() === 'video/h264')
}
