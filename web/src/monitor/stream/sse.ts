// Server-sent events out of chunks of text, wherever these are cut.
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

export interface ServerSentEvent {
  name: string
  data: string
}

/** A line or an event longer than this is no event of ours. */
const MOST_CHARACTERS = 1_000_000

export class EventParser {
  private rest = ''
  private afterReturn = false
  private first = true
  private name = ''
  private data: string[] = []
  private size = 0

  /** The events that are complete with this chunk. Throws if one grows without end. */
  push(chunk: string): ServerSentEvent[] {
    if (chunk === '') return []
    let text = chunk
    // The line feed of a line end that was cut between two chunks.
    if (this.afterReturn && text.startsWith('\n')) text = text.slice(1)
    this.afterReturn = chunk.endsWith('\r')
    if (this.first && text !== '') {
      this.first = false
      text = text.replace(/^\uFEFF/, '')
    }
    const lines = (this.rest + text).split(/\r\n|\r|\n/)
    this.rest = lines.pop()!
    const events = lines.flatMap((line) => this.line(line) ?? [])
    if (this.rest.length + this.size > MOST_CHARACTERS) throw new Error('an event is longer than a million characters')
    return events
  }

  private line(line: string): ServerSentEvent | undefined {
    if (line === '') return this.dispatch()
    const colon = line.indexOf(':')
    // A line that begins with a colon is a comment.
    if (colon === 0) return undefined
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.name = value
    if (field === 'data') {
      this.data.push(value)
      this.size += value.length
    }
    return undefined
  }

  private dispatch(): ServerSentEvent | undefined {
    const event = this.data.length ? { name: this.name || 'message', data: this.data.join('\n') } : undefined
    this.name = ''
    this.data = []
    this.size = 0
    return event
  }
}
