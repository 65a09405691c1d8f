// PURE: whose turn it is, and when a typed message may be sent. No timers, no network: server events in,
// client events out through `send`.
//
// The protocol allows one response at a time. A message typed while the face still thinks or speaks
// first stops it (`response.cancel` while it generates, `output_audio_buffer.clear` for what is heard)
// and goes out when the events say that it has stopped. A text to be said as it is waits for its turn instead.

import { textOf, type ClientEvent, type ErrorBody, type ServerEvent, type SpokenMessage } from './protocol.js'

export type Activity = 'listening' | 'thinking' | 'speaking'

/** Further texts to say are refused. */
const MOST_TO_SAY = 20

type Unsent<Event> = Event extends unknown ? Omit<Event, 'event_id'> : never

export class Turns {
  /** Response that the model is writing: `response.created` until `response.done`. */
  private generating: string | null = null
  /** Response that is being heard: `output_audio_buffer.started` until `.stopped` or `.cleared`. */
  private playing: string | null = null
  /** Written, but its sound has not begun yet. */
  private toBePlayed: string | null = null
  private lastPlayed: string | null = null
  /** Our `response.create` that has no answer yet. */
  private requested: string | null = null
  private lastRequest: string | null = null
  private readonly typed: { id: string; text: string }[] = []
  /** Texts to be said as they are, when nothing else is. */
  private readonly toSay: string[] = []
  private saying: { request: string; text: string } | null = null
  /** An answer is wanted: to messages whose `response.create` was refused, or to what was said by push to talk. */
  private owed = false
  /** Refused although no response is known here: wait for the next event that tells of one. */
  private blocked = false
  private stopping = false
  private userSpeaks = false
  /** The user has spoken and no response has begun yet. */
  private awaitingAnswer = false
  /** Our `input_audio_buffer.commit` that is not confirmed yet. */
  private commit: string | null = null
  private readonly quietIds = new Set<string>()
  private counter = 0

  constructor(private readonly send: (event: ClientEvent) => void) {}

  get activity(): Activity {
    if (this.playing !== null) return 'speaking'
    if (this.generating !== null || this.toBePlayed !== null || this.requested !== null) return 'thinking'
    if (this.typed.length > 0 || this.owed || this.toSay.length > 0) return 'thinking'
    return this.awaitingAnswer && !this.userSpeaks ? 'thinking' : 'listening'
  }

  /** The server's voice detector hears the user now. */
  get hearing(): boolean {
    return this.userSpeaks
  }

  /** True from the request to stop an answer until the server has confirmed that it stopped. */
  get isStopping(): boolean {
    return this.stopping
  }

  /** Queues a typed message under the item id `id`; it is sent as soon as no response is in the way. */
  submit(id: string, text: string): void {
    this.typed.push({ id, text })
    this.advance()
  }

  /** Tells a server that does not know it what was said before the connection was lost. */
  retell(id: string, speaker: 'user' | 'face', text: string): void {
    const role = speaker === 'user' ? 'user' : 'assistant'
    const content = [{ type: speaker === 'user' ? 'input_text' : 'output_text', text }]
    this.emit({ type: 'conversation.item.create', item: { id, type: 'message', role, content } }, true)
  }

  /** Has a text said as it is, after what is being said. False if too many wait. */
  say(text: string): boolean {
    if (this.toSay.length >= MOST_TO_SAY) return false
    this.toSay.push(text)
    this.advance()
    return true
  }

  /** Stops the answer, and drops what is waiting to be said. */
  interrupt(): void {
    this.toSay.length = 0
    this.stop()
  }

  /** The button of push to talk: pressed, what was heard before is dropped and the face falls silent. */
  listen(): void {
    this.interrupt()
    this.emit({ type: 'input_audio_buffer.clear' }, true)
  }

  /** Released: the turn is over, and shall be answered once the server has taken it. */
  endTurn(): void {
    this.commit = this.emit({ type: 'input_audio_buffer.commit' })
  }

  /** Asks the server for an item's present text. */
  retrieve(itemId: string): void {
    this.emit({ type: 'conversation.item.retrieve', item_id: itemId }, true)
  }

  /** The confirmation of a stop stayed away for too long: go on as though it had come. */
  stopWaiting(): void {
    this.generating = this.playing = this.toBePlayed = null
    this.stopping = false
    this.advance()
  }

  handle(event: ServerEvent): void {
    switch (event.type) {
      case 'input_audio_buffer.speech_started':
        this.userSpeaks = true
        this.awaitingAnswer = false
        break
      case 'input_audio_buffer.speech_stopped':
        this.userSpeaks = false
        this.awaitingAnswer = true
        break
      case 'input_audio_buffer.committed':
        this.userSpeaks = false
        if (this.commit !== null) this.owed = true
        this.commit = null
        break
      case 'input_audio_buffer.cleared':
        this.userSpeaks = this.awaitingAnswer = false
        break
      case 'conversation.item.input_audio_transcription.completed':
        // Nothing was said: nothing will be answered.
        if (event.transcript.trim() === '') this.awaitingAnswer = false
        break
      case 'conversation.item.input_audio_transcription.failed':
        this.awaitingAnswer = false
        break
      case 'response.created':
        this.generating = event.response.id
        this.requested = this.toBePlayed = null
        this.awaitingAnswer = this.stopping = this.blocked = false
        break
      case 'response.output_item.done':
        // Spoken text whose sound has not begun: the turn is not over with `response.done`.
        if (this.lastPlayed !== event.response_id && isSpoken(event.item)) this.toBePlayed = event.response_id
        break
      case 'response.done':
        if (this.generating === event.response.id) this.generating = null
        if (event.response.status !== 'completed') this.forget(event.response.id)
        this.blocked = false
        break
      case 'output_audio_buffer.started':
        this.playing = this.lastPlayed = event.response_id
        this.forget(event.response_id)
        break
      case 'output_audio_buffer.stopped':
      case 'output_audio_buffer.cleared':
        if (this.playing === event.response_id) this.playing = null
        this.forget(event.response_id)
        this.blocked = false
        break
      default:
        return
    }
    this.advance()
  }

  /** Takes an error that concerns the turns. Returns false for one that the user should see. */
  handleError(error: ErrorBody): boolean {
    const id = error.event_id ?? null
    if (id !== null && id === this.lastRequest) {
      this.requested = this.lastRequest = null
      if (error.code !== 'conversation_already_has_active_response') return false
      // The server had begun an answer to speech in the meantime: that one is stopped first.
      this.owed = this.blocked = true
      if (this.generating !== null || this.playing !== null) this.blocked = false
      this.advance()
      return true
    }
    if (id !== null && id === this.saying?.request) {
      const { text } = this.saying
      this.requested = this.saying = null
      if (error.code !== 'conversation_already_has_active_response') return false
      this.toSay.unshift(text)
      this.blocked = !this.isAnswering
      return true
    }
    // The button was pressed, but nothing was said.
    if (id !== null && id === this.commit) {
      this.commit = null
      return error.code === 'input_audio_buffer_commit_empty'
    }
    // A stop that crossed the end of the answer on its way.
    if (id !== null && this.quietIds.delete(id)) return true
    this.awaitingAnswer = false
    return false
  }

  private get isAnswering(): boolean {
    return this.generating !== null || this.playing !== null || this.toBePlayed !== null
  }

  private stop(): void {
    if (!this.isAnswering || this.stopping) return
    this.stopping = true
    if (this.generating !== null) this.emit({ type: 'response.cancel', response_id: this.generating }, true)
    this.emit({ type: 'output_audio_buffer.clear' }, true)
  }

  private advance(): void {
    if (!this.isAnswering) this.stopping = false
    if (this.requested !== null || this.blocked) return
    if (this.typed.length > 0 || this.owed) this.ask()
    else if (!this.isAnswering && !this.userSpeaks) this.sayNext()
  }

  private sayNext(): void {
    const text = this.toSay.shift()
    if (text === undefined) return
    const pre_generated_assistant_message: SpokenMessage = { type: 'message', role: 'assistant', content: [{ type: 'text', text }] }
    this.requested = this.emit({ type: 'response.create', response: { pre_generated_assistant_message } })
    this.saying = { request: this.requested, text }
  }

  private ask(): void {
    if (this.isAnswering) {
      this.stop()
      return
    }
    this.stopping = this.owed = this.awaitingAnswer = false
    for (const { id, text } of this.typed.splice(0)) {
      const content = [{ type: 'input_text', text }]
      this.emit({ type: 'conversation.item.create', item: { id, type: 'message', role: 'user', content } })
    }
    this.requested = this.lastRequest = this.emit({ type: 'response.create' })
  }

  private forget(responseId: string): void {
    if (this.toBePlayed === responseId) this.toBePlayed = null
  }

  private emit(event: Unsent<ClientEvent>, quiet = false): string {
    const event_id = `page_${++this.counter}`
    if (quiet) this.quietIds.add(event_id)
    this.send({ ...event, event_id } as ClientEvent)
    return event_id
  }
}

function isSpoken(item: Parameters<typeof textOf>[0]): boolean {
  const audio = item.content?.some((part) => part.type === 'output_audio') ?? false
  return audio && (textOf(item) ?? '').trim() !== ''
}
