// PURE: the conversation as the server tells it, in its order. No timers, no network: server events in,
// entries out. An item that is not a message (a tool call) is kept as an anchor for what follows it. After a lost
// connection the entries of before stay, and what the server tells of them again is not shown twice.

import { textOf, type Item, type ServerEvent } from './protocol.js'
import { isPast } from './transcript.js'

export type EntryState =
  /** Known to this page only; the server has not confirmed it yet. */
  | 'unsent'
  /** Text is still coming. */
  | 'open'
  | 'done'
  /** The answer was interrupted: the text is what was heard. */
  | 'cut'
  /** Speech that could not be understood. */
  | 'failed'

export interface Entry {
  readonly id: string
  readonly speaker: 'user' | 'face'
  readonly text: string
  readonly state: EntryState
  /** The part of the text that is being heard, while an answer sounds: what lies behind it was not heard yet. */
  readonly heard?: { readonly start: number; readonly end: number } | undefined
}

interface Slot {
  id: string
  entry: Entry | null
  /** White space before the text, which is not shown but counted by the server. */
  lead?: number | undefined
}

export class Conversation {
  /** From before the connection was lost. */
  private earlier: readonly Entry[] = []
  private slots: Slot[] = []
  private readonly itemsOfResponse = new Map<string, string[]>()

  /** What is to be shown, oldest first. Entries that turned out empty (a cough, a cancelled answer) are left out. */
  get entries(): readonly Entry[] {
    return [...this.earlier, ...this.slots.map((slot) => slot.entry)].filter(isShown)
  }

  /** Typed messages that the server has not confirmed, oldest first. */
  get unsent(): readonly Entry[] {
    return this.entries.filter((entry) => entry.state === 'unsent')
  }

  /** Shows a typed message at once, before the server confirms it. */
  addTyped(id: string, text: string): void {
    this.slots.push({ id, entry: { id, speaker: 'user', text, state: 'unsent' } })
  }

  /** Takes one server event. Returns the id of an item whose text must now be asked for, or null. */
  handle(event: ServerEvent): string | null {
    switch (event.type) {
      case 'conversation.item.added':
        this.place(event.item, event.previous_item_id)
        return null
      case 'conversation.item.done':
        this.settle(event.item)
        return null
      case 'conversation.item.retrieved':
        this.update(event.item.id, (entry) => ({ ...entry, text: textOf(event.item) ?? entry.text }))
        return null
      case 'conversation.item.deleted':
        this.slots = this.slots.filter((slot) => slot.id !== event.item_id)
        return null
      case 'conversation.item.truncated':
        this.update(event.item_id, (entry) => ({ ...entry, state: 'cut' }))
        return event.item_id
      case 'conversation.item.input_audio_transcription.delta':
        this.grow(event.item_id, 'user', event.delta)
        return null
      case 'conversation.item.input_audio_transcription.completed':
        this.slot(event.item_id, 'user')
        this.update(event.item_id, (entry) => ({ ...entry, text: event.transcript.trim(), state: 'done' }))
        return null
      case 'conversation.item.input_audio_transcription.failed':
        this.update(event.item_id, (entry) => ({ ...entry, state: 'failed' }))
        return null
      case 'response.output_item.added': {
        const items = this.itemsOfResponse.get(event.response_id) ?? []
        this.itemsOfResponse.set(event.response_id, [...items, event.item.id])
        return null
      }
      case 'response.output_audio_transcript.delta':
      case 'response.output_text.delta':
        this.grow(event.item_id, 'face', event.delta)
        return null
      case 'response.output_audio_transcript.done':
        this.finish(event.item_id, event.transcript)
        return null
      case 'response.output_text.done':
        this.finish(event.item_id, event.text)
        return null
      case 'visavis.word': {
        const lead = this.slots.find((slot) => slot.id === event.item_id)?.lead ?? 0
        const heard = { start: event.start - lead, end: event.end - lead }
        this.update(event.item_id, (entry) => (entry.state === 'cut' ? entry : { ...entry, heard }))
        return null
      }
      case 'output_audio_buffer.stopped':
      case 'output_audio_buffer.cleared':
        this.slots = this.slots.map((slot) =>
          slot.entry?.heard ? { ...slot, entry: { ...slot.entry, heard: undefined } } : slot,
        )
        return null
      case 'response.done': {
        const end = event.response.status === 'completed' ? 'done' : 'cut'
        for (const id of this.itemsOfResponse.get(event.response.id) ?? [])
          this.update(id, (entry) => (entry.state === 'open' ? { ...entry, state: end } : entry))
        this.itemsOfResponse.delete(event.response.id)
        return null
      }
      default:
        return null
    }
  }

  /** Nothing more will come: what is still open stays as it is. */
  end(): void {
    this.slots = this.slots.map(({ id, entry }) => {
      const state = entry?.state === 'open' ? (entry.speaker === 'face' ? 'cut' : 'done') : entry?.state
      return { id, entry: entry && state ? { ...entry, state, heard: undefined } : entry }
    })
  }

  /**
   * The connection was lost and another one begins: keeps what was said, under ids that the server, which counts its
   * items anew, does not give. Returns the new ids by the old ones.
   */
  resume(): Map<string, string> {
    this.end()
    const kept = this.entries.filter((entry) => entry.state !== 'unsent')
    const ids = new Map(kept.map(({ id }, index) => [id, `earlier_${index}`]))
    this.earlier = kept.map((entry) => ({ ...entry, id: ids.get(entry.id)! }))
    this.slots = this.slots.filter((slot) => slot.entry?.state === 'unsent')
    this.itemsOfResponse.clear()
    return ids
  }

  clear(): void {
    this.earlier = []
    this.slots = []
    this.itemsOfResponse.clear()
  }

  /** `conversation.item.added`: after its predecessor; null means the front, an unknown predecessor the end. */
  private place(item: Item, previous: string | null): void {
    const old = this.slots.find((slot) => slot.id === item.id)
    this.slots = this.slots.filter((slot) => slot.id !== item.id)
    const before = previous === null ? -1 : this.slots.findIndex((slot) => slot.id === previous)
    let index = previous !== null && before === -1 ? this.slots.length : before + 1
    // What this page has not sent yet is not in the server's order: it stays behind what is.
    while (index > 0 && this.slots[index - 1]?.entry?.state === 'unsent') index -= 1
    const entry = this.isKnown(item.id) ? null : entryOf(item, old?.entry ?? null)
    this.slots.splice(index, 0, { id: item.id, entry, lead: old?.lead })
  }

  /** Stands above already: by its id, or as what the server kept of the conversation. */
  private isKnown(id: string): boolean {
    return this.earlier.length > 0 && (isPast(id) || this.earlier.some((entry) => entry.id === id))
  }

  private settle(item: Item): void {
    this.update(item.id, (entry) => {
      // A user's item is done when its sound is: its transcript may still be on the way.
      if (entry.state !== 'open' || textOf(item) === null) return entry
      return { ...entry, text: (textOf(item) ?? '').trim(), state: item.status === 'incomplete' ? 'cut' : 'done' }
    })
  }

  private grow(id: string, speaker: Entry['speaker'], delta: string): void {
    const slot = this.slot(id, speaker)
    if (slot.entry?.text === '') slot.lead = (slot.lead ?? 0) + delta.length - delta.trimStart().length
    this.update(id, (entry) => (entry.state === 'open' ? { ...entry, text: (entry.text + delta).trimStart() } : entry))
  }

  private finish(id: string, text: string): void {
    this.slot(id, 'face')
    this.update(id, (entry) => (entry.state === 'open' ? { ...entry, text: text.trim() } : entry))
  }

  private slot(id: string, speaker: Entry['speaker']): Slot {
    const known = this.slots.find((slot) => slot.id === id)
    if (known) return known
    const slot: Slot = { id, entry: { id, speaker, text: '', state: 'open' } }
    this.slots.push(slot)
    return slot
  }

  private update(id: string, change: (entry: Entry) => Entry): void {
    this.slots = this.slots.map((slot) => (slot.id === id && slot.entry ? { ...slot, entry: change(slot.entry) } : slot))
  }
}

function isShown(entry: Entry | null): entry is Entry {
  return entry !== null && (entry.text !== '' || entry.state === 'open' || entry.state === 'failed')
}

function entryOf(item: Item, old: Entry | null): Entry | null {
  if (item.type !== 'message' || (item.role !== 'user' && item.role !== 'assistant')) return null
  const text = textOf(item) ?? old?.text ?? ''
  const complete = item.role === 'user' ? textOf(item) !== null : item.status === 'completed'
  const state = old && old.state !== 'unsent' && old.state !== 'open' ? old.state : complete ? 'done' : 'open'
  return { id: item.id, speaker: item.role === 'user' ? 'user' : 'face', text, state }
}

/** Of the conversation of before, told again to a server that keeps none: so many entries and UTF-16 units at most. */
const MOST_RETOLD = { entries: 40, length: 16_000 }

/** The last entries with text, as many as may be told again. */
export function lastOf(entries: readonly Entry[]): Entry[] {
  let length = 0
  const told = entries.filter(({ text }) => text !== '').slice(-MOST_RETOLD.entries)
  return told.reverse().filter(({ text }) => (length += text.length) <= MOST_RETOLD.length).reverse()
}
