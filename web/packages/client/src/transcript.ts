// The conversation with its times, and as a file: plain text, JSON or WebVTT.

import type { Entry } from './conversation.js'
import type { ServerEvent } from './protocol.js'

export interface TranscriptLine {
  readonly speaker: 'user' | 'face'
  readonly text: string
  /** From the beginning of the call; both are 0 for what was said before it, in an earlier call. */
  readonly startSeconds: number
  readonly endSeconds: number
  /** The answer was cut off; the text is what was heard of it. */
  readonly interrupted: boolean
}

interface Span {
  start: number
  end: number
}

/** PURE: when each entry was said. Server events in with the time at which they came, times out. */
export class Times {
  private readonly spans = new Map<string, Span>()
  private readonly itemsOfResponse = new Map<string, string[]>()
  private readonly sounding = new Set<string>()

  /** A message was typed. */
  typed(id: string, now: number): void {
    this.spans.set(id, { start: now, end: now })
  }

  take(event: ServerEvent, now: number): void {
    switch (event.type) {
      case 'input_audio_buffer.speech_started':
        this.spans.set(event.item_id, { start: now, end: now })
        break
      case 'input_audio_buffer.speech_stopped':
        this.end(event.item_id, now)
        break
      case 'conversation.item.added':
        if (!isPast(event.item.id)) this.begin(event.item.id, now)
        break
      case 'response.created':
        // Another connection gives the ids of a lost one again.
        this.itemsOfResponse.delete(event.response.id)
        this.sounding.delete(event.response.id)
        break
      case 'response.output_item.added':
        this.itemsOfResponse.set(event.response_id, [...this.itemsOf(event.response_id), event.item.id])
        if (this.sounding.has(event.response_id)) this.begin(event.item.id, now)
        break
      case 'output_audio_buffer.started':
        this.sounding.add(event.response_id)
        for (const id of this.itemsOf(event.response_id)) this.spans.set(id, { start: now, end: now })
        break
      case 'response.output_audio_transcript.delta':
      case 'response.output_text.delta':
        this.begin(event.item_id, now)
        break
      case 'visavis.word':
        this.end(event.item_id, now)
        break
      case 'output_audio_buffer.stopped':
      case 'output_audio_buffer.cleared':
        for (const id of this.itemsOf(event.response_id)) this.end(id, now)
        this.itemsOfResponse.delete(event.response_id)
        this.sounding.delete(event.response_id)
        break
    }
  }

  line({ id, speaker, text, state }: Entry): TranscriptLine {
    const { start, end } = this.spans.get(id) ?? { start: 0, end: 0 }
    return { speaker, text, startSeconds: start, endSeconds: end, interrupted: state === 'cut' }
  }

  /** Entries have other ids from now on. */
  rename(ids: ReadonlyMap<string, string>): void {
    for (const [old, id] of ids) {
      const span = this.spans.get(old)
      this.spans.delete(old)
      if (span) this.spans.set(id, span)
    }
  }

  clear(): void {
    this.spans.clear()
    this.itemsOfResponse.clear()
    this.sounding.clear()
  }

  private itemsOf(responseId: string): string[] {
    return this.itemsOfResponse.get(responseId) ?? []
  }

  private begin(id: string, now: number): void {
    if (!this.spans.has(id)) this.spans.set(id, { start: now, end: now })
  }

  private end(id: string, now: number): void {
    this.begin(id, now)
    this.spans.get(id)!.end = now
  }
}

/** Said in an earlier call of the same conversation. */
export function isPast(id: string): boolean {
  return id.startsWith('past_')
}

export interface SpeakerNames {
  user: string
  face: string
}

const NAMES: SpeakerNames = { user: 'You', face: 'Visavis' }

/** One line a turn: `[00:05] You: What is the capital of France?` */
export function toText(lines: readonly TranscriptLine[], names: SpeakerNames = NAMES): string {
  return lines
    .map((line) => `[${clock(line.startSeconds).slice(0, -4)}] ${names[line.speaker]}: ${line.text}${line.interrupted ? ' …' : ''}\n`)
    .join('')
}

export function toJson(lines: readonly TranscriptLine[]): string {
  return `${JSON.stringify(lines, null, 2)}\n`
}

/** A cue for a moment (a typed message) is shown for so long. */
const SHORTEST_CUE_SECONDS = 1

/** W3C WebVTT, one cue a turn with its speaker as voice. What was said before this call has no time in it and is left out. */
export function toWebVtt(lines: readonly TranscriptLine[], names: SpeakerNames = NAMES): string {
  const cues = lines
    .filter(({ startSeconds, endSeconds }) => startSeconds > 0 || endSeconds > 0)
    .sort((one, other) => one.startSeconds - other.startSeconds)
    .map(({ speaker, text, startSeconds, endSeconds, interrupted }) => {
      const end = Math.max(endSeconds, startSeconds + SHORTEST_CUE_SECONDS)
      const voice = escape(names[speaker]).replace(/\s+/g, ' ')
      return `${clock(startSeconds, true)} --> ${clock(end, true)}\n<v ${voice}>${escape(text)}${interrupted ? ' …' : ''}</v>\n`
    })
  return ['WEBVTT\n', ...cues].join('\n')
}

/** A blank line would end the cue, markup and `-->` are not ours to write. */
function escape(text: string): string {
  return text
    .replace(/\0/g, '\uFFFD')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .trim()
    .replace(/\s*[\r\n\u2028\u2029]\s*/g, '\n')
}

/** `mm:ss.mmm`, with hours if there are any or `hours` asks for them. */
function clock(seconds: number, hours = false): string {
  const millis = Math.round(seconds * 1000)
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  const hour = Math.floor(millis / 3_600_000)
  const rest = `${two((millis / 60_000) % 60)}:${two((millis / 1000) % 60)}.${String(millis % 1000).padStart(3, '0')}`
  return hours || hour > 0 ? `${two(hour)}:${rest}` : rest
}
