// A call with the face, free of any framework: it owns the connection, the microphone, the turns and the
// conversation, and tells what changed as typed events. One object serves many calls, one after the other. A call
// whose connection is lost is tried again, and goes on where it was.

import { Conversation, lastOf, type Entry } from './conversation.js'
import { Emitter } from './emitter.js'
import { checkBrowser, hasH264, PeerLink } from './link.js'
import { LevelMeter, listMicrophones, MICROPHONE_PROBLEMS, openMicrophone } from './microphone.js'
import { CallError, NoReply, refusesOrigin, type FatalProblem, type Hint } from './problems.js'
import { randomHex, type EndReason, type ServerEvent } from './protocol.js'
import { QualityMeter, sampleOf, type Quality } from './quality.js'
import { pause, Retry } from './retry.js'
import { merge, type SessionPatch, type TurnDetection } from './session.js'
import { Times, type TranscriptLine } from './transcript.js'
import { Turns } from './turns.js'
import { INITIAL, type CallEvents, type CallOptions, type CallState } from './types.js'

/** Longest typed message, in UTF-16 units: as JSON it stays within one message of the data channel. */
export const MAX_TEXT_LENGTH = 4000

/** A stop that the server has not confirmed by then is taken for done. */
const STOP_TIMEOUT_MILLIS = 3_000
/** A button of push to talk that is held for less was touched by mistake. */
const SHORTEST_TALK_MILLIS = 200
const NO_DETECTION: SessionPatch = { audio: { input: { turn_detection: null } } }

export class VisavisCall extends Emitter<CallEvents> {
  private current = INITIAL
  /** Sound and picture of the face in one stream, so that one <video> plays them together. */
  private stream = new MediaStream()
  private link: PeerLink | null = null
  private microphone: MediaStreamTrack | null = null
  private deviceId: string | undefined
  private readonly meter = new LevelMeter()
  private readonly qualityMeter = new QualityMeter()
  private turns = new Turns(() => undefined)
  private readonly conversation = new Conversation()
  private readonly times = new Times()
  private startedMillis = 0
  /** What this side has set. */
  private session: SessionPatch
  /** How turns end without the button of push to talk. */
  private turnDetection: TurnDetection = { type: 'semantic_vad' }
  private talkedSince = 0
  private stopTimer: ReturnType<typeof setTimeout> | undefined
  private isIdleWarned = false
  private readonly hinted = new Set<Hint['kind']>()
  /** Ends the waits of a call that is over. What an older call still brings is dropped. */
  private round = new AbortController()

  constructor(private readonly options: CallOptions) {
    super()
    const language = options.language ? { audio: { input: { transcription: { language: options.language } } } } : {}
    this.session = this.withPushToTalk(merge<SessionPatch>(language, options.session ?? {}))
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

  /** Connected: what is sent arrives. */
  get isConnected(): boolean {
    return this.isLive && this.current.phase !== 'connecting' && this.current.phase !== 'reconnecting'
  }

  /** What both have said, with its times; without what is still unsent or was not understood. */
  transcript(): TranscriptLine[] {
    return this.entries.filter(({ state, text }) => state !== 'unsent' && text !== '').map((entry) => this.times.line(entry))
  }

  /** Starts a call, with sound from the user unless `wanted.microphone` is false. Never throws: see `state.problem`. */
  async start(wanted: { microphone?: boolean; deviceId?: string | undefined } = {}): Promise<void> {
    if (this.isLive) return
    const { signal } = (this.round = new AbortController())
    const isAsking = wanted.microphone !== false
    if (wanted.deviceId !== undefined) this.deviceId = wanted.deviceId
    this.hinted.clear()
    this.stream = new MediaStream()
    this.emit('stream', this.stream)
    this.conversation.clear()
    this.times.clear()
    this.startedMillis = performance.now()
    this.emit('entries', this.entries)
    this.set({ ...INITIAL, pushToTalk: this.current.pushToTalk, phase: 'connecting', asking: isAsking })
    try {
      checkBrowser()
      if (!hasH264()) this.hint({ kind: 'no-h264' })
      if (isAsking) await this.openMicrophone(signal)
      if (!signal.aborted) await this.connect(signal)
    } catch (error) {
      if (signal.aborted) return
      const isRefused = error instanceof NoReply && (await refusesOrigin(this.options.server))
      if (!signal.aborted) this.finish(isRefused ? { kind: 'origin-refused', origin: location.origin } : CallError.of(error).problem)
    }
  }

  /** Sends a typed message; a running answer is stopped first. False if there is no call or the text is empty or too long. */
  sendText(text: string): boolean {
    const trimmed = this.sendable(text)
    if (trimmed === null) return false
    const id = `item_${randomHex(12)}`
    this.conversation.addTyped(id, trimmed)
    this.times.typed(id, this.now)
    this.turns.submit(id, trimmed)
    this.notIdle()
    this.refresh()
    return true
  }

  /** Has the face say exactly this, after what it is saying. False as for `sendText`, or if too much waits to be said. */
  say(text: string): boolean {
    const trimmed = this.sendable(text)
    if (trimmed === null || !this.turns.say(trimmed)) return false
    this.refresh()
    return true
  }

  /** Stops the answer that is being given. */
  interrupt(): void {
    this.turns.interrupt()
    this.refresh()
  }

  /** Changes settings of this call and of those to come; the server says no by the hint `server-error`. */
  update(session: SessionPatch): void {
    const patch = this.withPushToTalk(session)
    this.session = merge(this.session, patch)
    this.sendSession(patch)
  }

  setMuted(muted: boolean): void {
    if (!this.microphone) return
    this.set({ microphone: muted ? 'muted' : 'on' })
    this.gate()
  }

  /** Changes to another microphone, or brings one into a call without. Says by a hint why it could not. */
  async setMicrophone(deviceId: string): Promise<void> {
    this.deviceId = deviceId
    if (this.isLive) await this.openMicrophone(this.round.signal)
  }

  microphones(): Promise<MediaDeviceInfo[]> {
    return listMicrophones()
  }

  /** Loudness of the microphone now: 0 for a quiet room, 1 for a voice close by. */
  level(): number {
    return this.microphone ? this.meter.level() : 0
  }

  /** With `on` the user's turns are told by `talk` alone, and nothing is heard outside of them. */
  pushToTalk(on: boolean): void {
    if (on === this.current.pushToTalk) return
    this.set({ pushToTalk: on, talking: false })
    this.gate()
    this.update(on ? NO_DETECTION : { audio: { input: { turn_detection: this.turnDetection } } })
  }

  /** The button of push to talk went down or up. */
  talk(down: boolean): void {
    if (!this.isConnected || !this.current.pushToTalk || down === this.current.talking) return
    this.set({ talking: down })
    this.gate()
    if (down) this.turns.listen()
    else if (performance.now() - this.talkedSince >= SHORTEST_TALK_MILLIS) this.turns.endTurn()
    this.talkedSince = performance.now()
    this.notIdle()
    this.refresh()
  }

  /** Of the connection over the last seconds; ask about once a second. Null without one, and at the first time. */
  async quality(): Promise<Quality | null> {
    if (!this.link || !this.isConnected) return null
    const report = await this.link.stats()
    return this.qualityMeter.push(sampleOf(report, performance.now(), document.visibilityState === 'visible'))
  }

  /** Ends the call on the user's wish; also the right thing to call when the page goes away. */
  hangUp(): void {
    if (!this.isLive) return
    this.link?.hangUp()
    this.finish(null)
  }

  /** How turns are found is kept for later while the button tells them. */
  private withPushToTalk(session: SessionPatch): SessionPatch {
    const detection = session.audio?.input?.turn_detection
    if (detection) this.turnDetection = merge(this.turnDetection, detection)
    return detection && this.current.pushToTalk ? merge(session, NO_DETECTION) : session
  }

  /** Seconds since the call began. */
  private get now(): number {
    return (performance.now() - this.startedMillis) / 1000
  }

  /** The text as it would be sent, or null. */
  private sendable(text: string): string | null {
    const trimmed = text.trim()
    if (!this.isConnected || trimmed === '') return null
    if (trimmed.length > MAX_TEXT_LENGTH) {
      this.hint({ kind: 'text-too-long', length: trimmed.length, limit: MAX_TEXT_LENGTH })
      return null
    }
    this.unhint('text-too-long')
    return trimmed
  }

  private async openMicrophone(signal: AbortSignal): Promise<void> {
    const { track, problem } = await openMicrophone(this.deviceId)
    if (signal.aborted) {
      track?.stop()
      return
    }
    this.set({ asking: false })
    if (!track) {
      this.hint({ kind: problem })
      return
    }
    this.dropMicrophone()
    this.microphone = track
    this.meter.attach(track)
    this.set({ microphone: this.current.microphone === 'muted' ? 'muted' : 'on' })
    this.gate()
    for (const kind of MICROPHONE_PROBLEMS) this.unhint(kind)
    track.onended = () => {
      this.dropMicrophone()
      this.set({ microphone: 'none' })
      this.hint({ kind: 'microphone-lost' })
    }
    await this.link?.setMicrophone(track)
  }

  private dropMicrophone(): void {
    if (!this.microphone) return
    this.microphone.onended = null
    this.microphone.stop()
    this.microphone = null
  }

  /** Whether the microphone is heard: not while muted, nor while push to talk waits for its button. */
  private gate(): void {
    const { microphone, pushToTalk, talking } = this.current
    if (this.microphone) this.microphone.enabled = microphone === 'on' && (!pushToTalk || talking)
  }

  private async connect(signal: AbortSignal): Promise<void> {
    const link = new PeerLink(this.options.server, this.options.token)
    this.link = link
    this.turns = new Turns((event) => link.send(event))
    this.qualityMeter.clear()
    link.on('track', (track) => this.show(track))
    link.on('event', (event) => this.take(event))
    link.on('unsteady', (is) => (is ? this.hint({ kind: 'unsteady' }) : this.unhint('unsteady')))
    link.on('lost', () => void this.lost({ kind: 'connection-lost' }))
    const retold = this.options.conversationId === undefined ? this.entries.filter(({ state }) => state !== 'unsent') : []
    const offered = this.session
    await link.open(this.microphone, this.offer())
    if (signal.aborted) return
    if (this.session !== offered) this.sendSession(this.session)
    for (const entry of lastOf(retold)) this.turns.retell(entry.id, entry.speaker, entry.text)
    for (const { id, text } of this.conversation.unsent) this.turns.submit(id, text)
    this.set({ phase: this.turns.activity, attempt: 0, problem: null })
  }

  /** The settings that go with an offer. A call that goes on is not greeted again. */
  private offer(): SessionPatch {
    const { conversationId } = this.options
    const patch = conversationId === undefined ? this.session : { ...this.session, conversation_id: conversationId }
    return this.current.phase === 'reconnecting' && this.entries.length > 0 ? { ...patch, greeting: '' } : patch
  }

  private sendSession(session: SessionPatch): void {
    this.link?.send({ event_id: `page_session_${randomHex(4)}`, type: 'session.update', session: { type: 'realtime', ...session } })
  }

  /** After a lost connection the new picture takes the place of the old one, which stands still until then. */
  private show(track: MediaStreamTrack): void {
    for (const old of this.stream.getTracks()) if (old.kind === track.kind) this.stream.removeTrack(old)
    this.stream.addTrack(track)
  }

  /** The connection went without anybody's wish: tries again until it is back or there is no more hope. */
  private async lost(problem: FatalProblem): Promise<void> {
    if (this.options.reconnect === false) return this.finish(problem)
    this.round.abort()
    const { signal } = (this.round = new AbortController())
    const old = this.link
    old?.close()
    this.clearStopTimer()
    this.unhint('unsteady')
    this.unhint('session-ending')
    this.isIdleWarned = false
    const retry = new Retry(performance.now())
    let last = problem
    for (;;) {
      const least = 'retryAfterSeconds' in last ? last.retryAfterSeconds * 1000 : 0
      const wait = retry.next(performance.now(), Math.random(), least)
      if (wait === null) return this.finish(last.kind === 'unreachable' ? problem : last)
      const { attempt } = retry
      this.set({ phase: 'reconnecting', attempt, hearing: false, talking: false, problem })
      this.hint({ kind: 'reconnecting', attempt, waitSeconds: Math.ceil(wait / 1000) })
      await pause(wait, signal)
      if (!signal.aborted) await old?.release()
      if (signal.aborted) return
      try {
        this.times.rename(this.conversation.resume())
        await this.connect(signal)
        if (!signal.aborted) this.unhint('reconnecting')
        return
      } catch (error) {
        if (signal.aborted) return
        this.link?.close()
        const failure = CallError.of(error)
        if (!failure.isTransient) return this.finish(failure.problem)
        last = failure.problem
      }
    }
  }

  private take(event: ServerEvent): void {
    this.times.take(event, this.now)
    if (event.type === 'session.ending') {
      this.takeEnding(event.reason, event.remaining_ms)
    } else if (event.type === 'error') {
      if (!this.turns.handleError(event.error)) this.hint({ kind: 'server-error', message: event.error.message ?? '' })
    } else {
      if (event.type === 'session.created' || event.type === 'session.updated') {
        this.set({ artificial: event.session.avatar?.mark === true })
        this.turnDetection = event.session.audio?.input?.turn_detection ?? this.turnDetection
      }
      if (event.type === 'input_audio_buffer.speech_started') this.notIdle()
      this.turns.handle(event)
      const incomplete = this.conversation.handle(event)
      if (incomplete !== null) this.turns.retrieve(incomplete)
    }
    this.refresh()
    this.pass(event)
  }

  /** To those who listen. */
  private pass(event: ServerEvent): void {
    if (event.type === 'visavis.word') this.emit('word', event)
    else if (event.type === 'visavis.latency') this.emit('latency', event)
    else if (event.type === 'response.output_audio_transcript.delta' || event.type === 'response.output_text.delta')
      this.emit('token', { itemId: event.item_id, text: event.delta })
    this.emit('server', event)
  }

  private takeEnding(reason: EndReason, remainingMillis: number): void {
    this.isIdleWarned = reason === 'idle_timeout' && remainingMillis > 0
    const secondsLeft = Math.round(remainingMillis / 1000)
    if (remainingMillis > 0) this.hint({ kind: 'session-ending', reason, secondsLeft })
    else if (reason === 'shutdown') void this.lost({ kind: 'session-ended', reason })
    else this.finish({ kind: 'session-ended', reason })
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
    this.round.abort()
    this.clearStopTimer()
    if (problem?.kind === 'no-media-path') this.link?.hangUp()
    this.link?.close()
    this.link = null
    this.dropMicrophone()
    this.meter.close()
    this.conversation.end()
    for (const kind of ['unsteady', 'reconnecting', 'session-ending', 'text-too-long'] as const) this.unhint(kind)
    this.emit('entries', this.entries)
    this.set({ ...INITIAL, pushToTalk: this.current.pushToTalk, phase: 'ended', problem })
  }

  private hint(hint: Hint): void {
    this.hinted.add(hint.kind)
    this.emit('hint', { kind: hint.kind, hint })
  }

  private unhint(kind: Hint['kind']): void {
    if (this.hinted.delete(kind)) this.emit('hint', { kind, hint: null })
  }

  private set(change: Partial<CallState>): void {
    this.current = { ...this.current, ...change }
    this.emit('state', this.current)
  }
}
