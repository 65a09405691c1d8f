// The messages on the data channel `oai-events`: the OpenAI Realtime protocol (GA) as far as this client
// uses it, and events that this server adds (`session.ending`, `visavis.*`).
// Types and the check at the door only; what an event means is decided in `turns.ts` and `conversation.ts`.

import type { SessionPatch, TurnDetection } from './session.js'

export interface ContentPart {
  type: string
  text?: string | null
  transcript?: string | null
}

export interface Item {
  id: string
  type: string
  role?: string
  status?: string
  content?: ContentPart[]
}

export interface Response {
  id: string
  status: string
  status_details?: { type?: string; reason?: string; error?: ErrorBody } | null
  output_modalities?: string[]
}

/** What a call is set to, as far as this client reads it. */
export interface Session {
  audio?: { input?: { turn_detection?: TurnDetection | null } }
  /** Azure's field names; `mark` is ours: say that the face is made by a machine. */
  avatar?: { character?: string; mark?: boolean } | null
}

/** When each step of an answer was done, in milliseconds after the user's last voiced sample came in. */
export interface Latency {
  response_id: string
  /** The user spoke; else the steps count from the typed message. */
  spoken: boolean
  committed_ms: number | null
  transcribed_ms: number | null
  first_token_ms: number | null
  first_clause_ms: number | null
  first_sound_ms: number | null
  first_packet_ms: number | null
  first_mouth_ms: number | null
}

/** This word of an answer's transcript is heard now; `start` and `end` count as JavaScript strings do. */
export interface Word {
  response_id: string
  item_id: string
  word: string
  start: number
  end: number
  /** From the beginning of the answer's sound. */
  audio_start_ms?: number
  audio_end_ms?: number
}

/** Also the body of every HTTP error: `{"error": ErrorBody}`. */
export interface ErrorBody {
  type?: string | null
  code?: string | null
  message?: string
  param?: string | null
  /** The `event_id` of the client event that was refused. */
  event_id?: string | null
}

type Delta<Type extends string> = { type: Type; item_id: string; delta: string }
type Buffer<Type extends string> = { type: Type; response_id: string }

export type ServerEvent =
  | { type: 'session.created' | 'session.updated'; session: Session }
  /** The server will end the call unless the reason goes away; with zero left it ends now. */
  | { type: 'session.ending'; reason: EndReason; remaining_ms: number }
  | { type: 'input_audio_buffer.speech_started'; item_id: string }
  | { type: 'input_audio_buffer.speech_stopped'; item_id: string }
  | { type: 'input_audio_buffer.cleared' }
  | { type: 'input_audio_buffer.committed'; item_id: string }
  | { type: 'conversation.item.added' | 'conversation.item.done'; item: Item; previous_item_id: string | null }
  | { type: 'conversation.item.retrieved'; item: Item }
  | { type: 'conversation.item.deleted'; item_id: string }
  | { type: 'conversation.item.truncated'; item_id: string; audio_end_ms: number }
  | Delta<'conversation.item.input_audio_transcription.delta'>
  | { type: 'conversation.item.input_audio_transcription.completed'; item_id: string; transcript: string }
  | { type: 'conversation.item.input_audio_transcription.failed'; item_id: string; error: ErrorBody }
  | { type: 'response.created' | 'response.done'; response: Response }
  | { type: 'response.output_item.added' | 'response.output_item.done'; response_id: string; item: Item }
  | Delta<'response.output_audio_transcript.delta'>
  | { type: 'response.output_audio_transcript.done'; item_id: string; transcript: string }
  | Delta<'response.output_text.delta'>
  | { type: 'response.output_text.done'; item_id: string; text: string }
  | Buffer<'output_audio_buffer.started'>
  | Buffer<'output_audio_buffer.stopped'>
  | Buffer<'output_audio_buffer.cleared'>
  | ({ type: 'visavis.word' } & Word)
  | ({ type: 'visavis.latency' } & Latency)
  /** Somebody spoke over an answer: it ended, or went on because that was no words. */
  | { type: 'visavis.barge_in'; response_id: string; silent_ms: number | null; outcome: 'ended' | 'resumed' }
  | { type: 'error'; error: ErrorBody }

export type EndReason = 'idle_timeout' | 'max_duration' | 'shutdown'

/** Azure's way to have a text spoken as it is. */
export interface SpokenMessage {
  type: 'message'
  role: 'assistant'
  content: [{ type: 'text'; text: string }]
}

export type ClientEvent = { event_id: string } & (
  | { type: 'session.update'; session: SessionPatch }
  | { type: 'conversation.item.create'; item: Item }
  | { type: 'conversation.item.retrieve'; item_id: string }
  | { type: 'input_audio_buffer.clear' | 'input_audio_buffer.commit' }
  | { type: 'response.create'; response?: { pre_generated_assistant_message: SpokenMessage } }
  | { type: 'response.cancel'; response_id?: string }
  | { type: 'output_audio_buffer.clear' }
)

/** Fields without which an event cannot be used, by its type; `.id` means an object that holds an id. */
const REQUIRED: { [Type in ServerEvent['type']]: readonly string[] } = {
  'session.created': [],
  'session.updated': [],
  'session.ending': ['reason'],
  'input_audio_buffer.speech_started': ['item_id'],
  'input_audio_buffer.speech_stopped': ['item_id'],
  'input_audio_buffer.cleared': [],
  'input_audio_buffer.committed': [],
  'conversation.item.added': ['item.id'],
  'conversation.item.done': ['item.id'],
  'conversation.item.retrieved': ['item.id'],
  'conversation.item.deleted': ['item_id'],
  'conversation.item.truncated': ['item_id'],
  'conversation.item.input_audio_transcription.delta': ['item_id', 'delta'],
  'conversation.item.input_audio_transcription.completed': ['item_id', 'transcript'],
  'conversation.item.input_audio_transcription.failed': ['item_id'],
  'response.created': ['response.id'],
  'response.done': ['response.id'],
  'response.output_item.added': ['response_id', 'item.id'],
  'response.output_item.done': ['response_id', 'item.id'],
  'response.output_audio_transcript.delta': ['item_id', 'delta'],
  'response.output_audio_transcript.done': ['item_id', 'transcript'],
  'response.output_text.delta': ['item_id', 'delta'],
  'response.output_text.done': ['item_id', 'text'],
  'output_audio_buffer.started': ['response_id'],
  'output_audio_buffer.stopped': ['response_id'],
  'output_audio_buffer.cleared': ['response_id'],
  'visavis.word': ['item_id', 'word'],
  'visavis.latency': ['response_id'],
  'visavis.barge_in': ['response_id'],
  error: [],
}

/** One frame of the data channel as an event, or null if it is not JSON, not known here or lacks a field. */
export function parseServerEvent(frame: unknown): ServerEvent | null {
  if (typeof frame !== 'string') return null
  let event: unknown
  try {
    event = JSON.parse(frame)
  } catch {
    return null
  }
  if (!isRecord(event) || typeof event.type !== 'string' || !Object.hasOwn(REQUIRED, event.type)) return null
  if (event.type === 'error' && !isRecord(event.error)) return null
  const fields = REQUIRED[event.type as ServerEvent['type']]
  return fields.every((path) => typeof at(event, path) === 'string') ? (event as ServerEvent) : null
}

/** All text of an item: what was typed, said or spoken; null while a transcript is still to come. */
export function textOf(item: Item): string | null {
  const parts = (Array.isArray(item.content) ? item.content : []).map((part) => part.transcript ?? part.text ?? null)
  const known = parts.filter((part) => part !== null)
  return known.length === 0 ? null : known.join('')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), value)
}

/** `crypto.randomUUID` is missing on pages without HTTPS; this is not. */
export function randomHex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
