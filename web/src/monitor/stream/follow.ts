// Follows an event stream for as long as it is wanted: opens it again when it ends, falls silent or cannot be reached,
// with growing waits. A refusal (401, 404) ends it, for that will not change by itself.

import { EventParser, type ServerSentEvent } from './sse'

/** The server says something at least every 15 s. */
const SILENCE_MILLIS = 40_000
export const WAITS_MILLIS = [500, 1000, 2000, 4000, 8000]

export type FollowState = 'connecting' | 'open' | 'waiting' | 'refused' | 'absent'

export interface Following {
  url: string
  headers: () => Record<string, string>
  onEvent: (event: ServerSentEvent) => void
  /** `message`: why the server does not open it, in its words. */
  onState: (state: FollowState, message: string) => void
}

export class Follower {
  private readonly ended = new AbortController()
  private message = ''
  private wake: () => void = () => undefined

  constructor(private readonly following: Following) {
    void this.run()
  }

  /** Ends a wait: there is a reason to believe that the server is there. */
  retryNow(): void {
    this.wake()
  }

  stop(): void {
    this.ended.abort()
    this.wake()
  }

  private async run(): Promise<void> {
    let failures = 0
    while (!this.ended.signal.aborted) {
      this.tell('connecting')
      this.message = ''
      const end = await this.once().catch(() => 'lost' as const)
      if (this.ended.signal.aborted) return
      if (end === 'refused' || end === 'absent') return this.tell(end)
      failures = end === 'closed' ? 0 : failures + 1
      this.tell('waiting')
      await this.wait(WAITS_MILLIS[Math.min(failures, WAITS_MILLIS.length - 1)]!)
    }
  }

  private tell(state: FollowState): void {
    if (!this.ended.signal.aborted) this.following.onState(state, this.message)
  }

  /** One connection, to its end. */
  private async once(): Promise<'closed' | 'lost' | 'refused' | 'absent'> {
    const connection = new AbortController()
    const end = () => connection.abort()
    this.ended.signal.addEventListener('abort', end)
    let silence = setTimeout(end, SILENCE_MILLIS)
    try {
      const headers = { Accept: 'text/event-stream', ...this.following.headers() }
      const reply = await fetch(this.following.url, { headers, cache: 'no-store', signal: connection.signal })
      if (reply.status === 401 || reply.status === 403) return 'refused'
      if (reply.status === 404) return 'absent'
      if (!reply.ok || !reply.body) {
        const body = (await reply.json().catch(() => null)) as { error?: { message?: string } } | null
        this.message = body?.error?.message ?? ''
        return 'lost'
      }
      // A page that answers every path with itself is no stream.
      if (!reply.headers.get('Content-Type')?.startsWith('text/event-stream')) return 'absent'
      this.tell('open')
      const parser = new EventParser()
      const reader = reply.body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>).getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return 'closed'
        clearTimeout(silence)
        silence = setTimeout(end, SILENCE_MILLIS)
        if (this.ended.signal.aborted) return 'closed'
        parser.push(value).forEach(this.following.onEvent)
      }
    } finally {
      clearTimeout(silence)
      this.ended.signal.removeEventListener('abort', end)
      connection.abort()
    }
  }

  private wait(millis: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, millis)
      this.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
