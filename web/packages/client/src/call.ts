// A call with the face, free of any framework: it owns the connection, the microphone, the turns and the
// conversation, and tells what changed as typed events. One object serves many calls, one after the other.

import { Conversation, type Entry } from './conversation'
import { Emitter } from './emitter'
import { PeerLink } from './link'
import { openMicrophone } from './microphone'
import { CallError, type FatalProblem, type Hint } from './problems'
import type { EndReason, ServerEvent } from './protocol'
import { Turns, type Activity } from './turns'

/** Longest typed message, in UTF-16 units: as JSON it stays within one message of the data channel. */
export const MAX_TEXT_LENGTH = 4000

/** A stop that the server has not confirmed by then is taken for done. */
const STOP_TIMEOUT_MILLIS = 3_000

export type Phase = 'idle' | 'connecting' | Activity | 'ended'

export interface CallState {
  readonly phase: Phase
  /** The browser asks the user for the microphone (only while connecting). */
  readonly asking: boolean
  /** The user is speaking. */
  readonly hearing: boolean
  readonly microphone: 'none' | 'on' | 'muted'
  /** The server wants it said that a machine makes the face. */
  readonly artificial: boolean
  /** Why the last call ended, unless the user hung up. */
  readonly problem: FatalProblem | null
}

export interface CallEvents {
  state: CallState
  /** At the start of each call, empty as yet: a <video> that gets it within the user's click may play its sound. */
  stream: MediaStream
  entries: readonly Entry[]
  /** Null takes the hint of this kind back. */
  hint: { kind: Hint['kind']; hint: Hint | null }
  /** Every event of the server, after it has been taken in. */
  server: ServerEvent
}

const INITIAL: CallState = { phase: 'idle', asking: false, hearing: false, microphone: 'none', artificial: false, problem: null }

export class VisavisCall extends Emitter<CallEvents> {
  private current = INITIAL
  /** Sound and picture of the face in one stream, so that one <video> plays them together. */
  private stream = new MediaStream()
  private link: PeerLink | null = null
  private microphone: MediaStreamTrack | null = null
  private turns = new Turns(() => undefined)
  private readonly conversation = new Conversation()
  private stopTimer: ReturnType<typeof setTimeout> | undefined
  private isIdleWarned = false
  /** Counts the calls: what an older one still brings is dropped. */
  private round = 0

  /**
   * @param callsUrl absolute URL of `/v1/realtime/calls`
   * @param language of the user (`zh`), if not what the server is set up for
   */
  constructor(
    private readonly callsUrl: string,
    private readonly language: string | null = null,
  ) {
    super()
  }

  get state(): CallState {
    return this.current
  }

  get entries(): readonly Entry[] {
    return this.conversation.entries
  }

  get isLive(): boolean {
    return this.current.phase !== 'idle' && this.current.phase !== 'ended'
  }

  /** Starts a call, with sound from the user unless `wanted.microphone` is false. Never throws: see `state.problem`. */
  async start(wanted: { microphone: boolean } = { microphone: true }): Promise<void> {
    if (this.isLive) return
    const round = ++this.round
    this.stream = new MediaStream()
    this.emit('stream', this.stream)
    this.conversation.clear()
    this.emit('entries', this.entries)
    this.set({ ...INITIAL, phase: 'connecting', asking: wanted.microphone })
    try {
      checkBrowser()
      if (wanted.microphone) await this.openMicrophone(round)
      if (round !== this.round) return
      await this.connect(round)
    } catch (error) {
      if (round !== this.round) return
      if (!(error instanceof CallError)) console.error(error)
      this.finish(error instanceof CallError ? error.problem : { kind: 'call-refused', message: String(error) })
    }
  }

  /** Sends a typed message; a running answer is stopped first. False if there is no call or the text is empty or too long. */
  sendText(text: string): boolean {
    const trimmed = text.trim()
    if (!this.isConnected || trimmed === '' || trimmed.length > MAX_TEXT_LENGTH) return false
    const id = `item_${randomHex(12)}`
    this.conversation.addTyped(id, trimmed)
    this.turns.submit(id, trimmed)
    this.notIdle()
    this.refresh()
    return true
  }

  setMuted(muted: boolean): void {
    if (!this.microphone) return
    this.microphone.enabled = !muted
    this.set({ microphone: muted ? 'muted' : 'on' })
  }

  /** Ends the call on the user's wish; also the right thing to call when the page goes away. */
  hangUp(): void {
    if (!this.isLive) return
    this.link?.hangUp()
    this.finish(null)
  }

  private get isConnected(): boolean {
    return this.isLive && this.current.phase !== 'connecting'
  }

  private async openMicrophone(round: number): Promise<void> {
    const { track, problem } = await openMicrophone()
    if (round !== this.round) {
      track?.stop()
      return
    }
    this.set({ asking: false, microphone: track ? 'on' : 'none' })
    if (!track) {
      this.hint({ kind: problem })
      return
    }
    this.microphone = track
    track.onended = () => {
      this.microphone = null
      this.set({ microphone: 'none' })
      this.hint({ kind: 'microphone-lost' })
    }
  }

  private async connect(round: number): Promise<void> {
    const link = new PeerLink(this.callsUrl)
    this.link = link
    this.turns = new Turns((event) => link.send(event))
    link.on('track', (track) => this.stream.addTrack(track))
    link.on('event', (event) => this.take(event))
    link.on('unsteady', (is) => (is ? this.hint({ kind: 'unsteady' }) : this.unhint('unsteady')))
    link.on('lost', () => this.finish({ kind: 'connection-lost' }))
    await link.open(this.microphone)
    if (this.language !== null) {
      const audio = { input: { transcription: { language: this.language } } }
      link.send({ event_id: 'page_language', type: 'session.update', session: { type: 'realtime', audio } })
    }
    if (round === this.round && this.current.phase === 'connecting') this.set({ phase: this.turns.activity })
  }

  private take(event: ServerEvent): void {
    if (event.type === 'session.ending') {
      this.takeEnding(event.reason, event.remaining_ms)
    } else if (event.type === 'error') {
      if (!this.turns.handleError(event.error)) this.hint({ kind: 'server-error', message: event.error.message ?? '' })
    } else {
      if (event.type === 'session.created' || event.type === 'session.updated')
        this.set({ artificial: event.session.avatar?.mark === true })
      if (event.type === 'input_audio_buffer.speech_started') this.notIdle()
      this.turns.handle(event)
      const incomplete = this.conversation.handle(event)
      if (incomplete !== null) this.turns.retrieve(incomplete)
    }
    this.refresh()
    this.emit('server', event)
  }

  private takeEnding(reason: EndReason, remainingMillis: number): void {
    const secondsLeft = Math.round(remainingMillis / 1000)
    if (remainingMillis > 0) this.hint({ kind: 'session-ending', reason, secondsLeft })
    else this.finish({ kind: 'session-ended', reason })
    this.isIdleWarned = reason === 'idle_timeout' && remainingMillis > 0
  }

  /** The user has spoken or typed: the server no longer ends the call for idleness. */
  private notIdle(): void {
    if (!this.isIdleWarned) return
    this.isIdleWarned = false
    this.unhint('session-ending')
  }

  /** Tells what the turns and the conversation have become. */
  private refresh(): void {
    if (!this.turns.isStopping) this.clearStopTimer()
    else this.stopTimer ??= setTimeout(() => this.stopAnyway(), STOP_TIMEOUT_MILLIS)
    if (this.isConnected) this.set({ phase: this.turns.activity, hearing: this.turns.hearing })
    this.emit('entries', this.entries)
  }

  private clearStopTimer(): void {
    clearTimeout(this.stopTimer)
    this.stopTimer = undefined
  }

  private stopAnyway(): void {
    this.clearStopTimer()
    this.turns.stopWaiting()
    this.refresh()
  }

  private finish(problem: FatalProblem | null): void {
    this.round += 1
    this.clearStopTimer()
    if (problem?.kind === 'no-media-path') this.link?.hangUp()
    this.link?.close()
    this.link = null
    if (this.microphone) {
      this.microphone.onended = null
      this.microphone.stop()
      this.microphone = null
    }
    this.conversation.end()
    this.unhint('unsteady')
    this.unhint('session-ending')
    this.emit('entries', this.entries)
    this.set({ ...INITIAL, phase: 'ended', problem })
  }

  private hint(hint: Hint): void {
    this.emit('hint', { kind: hint.kind, hint })
  }

  private unhint(kind: Hint['kind']): void {
    this.emit('hint', { kind, hint: null })
  }

  private set(change: Partial<CallState>): void {
    this.current = { ...this.current, ...change }
    this.emit('state', this.current)
  }
}

function checkBrowser(): void {
  if (typeof RTCPeerConnection === 'undefined') throw new CallError({ kind: 'no-webrtc' })
  // Absent in some older browsers that do have H.264: then the server decides.
  const codecs = typeof RTCRtpReceiver === 'undefined' ? undefined : RTCRtpReceiver.getCapabilities?.('video')?.codecs
  if (codecs && !codecs.some((codec) => codec.mimeType.toLowerCase() === 'video/h264')) throw new CallError({ kind: 'no-h264' })
}

/** `crypto.randomUUID` is missing on pages without HTTPS; this is not. */
function randomHex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
