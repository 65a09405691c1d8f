import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Follower, WAITS_MILLIS, type FollowState } from '../../src/monitor/stream/follow'
import type { ServerSentEvent } from '../../src/monitor/stream/sse'

let states: [FollowState, string][]
let events: ServerSentEvent[]
let follower: Follower | undefined

beforeEach(() => {
  vi.useFakeTimers()
  states = []
  events = []
})
afterEach(() => {
  follower?.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** Follows what this fetch gives; returns how often it was asked. */
function follow(fetch: (signal: AbortSignal) => Promise<Response>): () => number {
  const asked = vi.fn((_: string, { signal }: RequestInit) => fetch(signal!))
  vi.stubGlobal('fetch', asked)
  follower = new Follower({ url: '/events', headers: () => ({}), onEvent: (event) => events.push(event), onState: (...state) => states.push(state) })
  return () => asked.mock.calls.length
}

/** A stream that is cut when the connection is given up. */
function stream(signal: AbortSignal, start: (controller: ReadableStreamDefaultController<Uint8Array>) => void): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      signal.addEventListener('abort', () => controller.error(new Error('aborted')))
      start(controller)
    },
  })
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
}

const bytes = (text: string) => new TextEncoder().encode(text)

it('waits longer each time that nobody answers, and no longer when it is told to', async () => {
  const asked = follow(() => Promise.reject(new TypeError('Failed to fetch')))
  await vi.advanceTimersByTimeAsync(0)
  for (const [index, wait] of [...WAITS_MILLIS.slice(1), WAITS_MILLIS.at(-1)!].entries()) {
    expect(asked()).toBe(index + 1)
    await vi.advanceTimersByTimeAsync(wait - 1)
    expect(asked()).toBe(index + 1)
    await vi.advanceTimersByTimeAsync(1)
  }
  const before = asked()
  follower!.retryNow()
  await vi.advanceTimersByTimeAsync(0)
  expect(asked()).toBe(before + 1)
})

it('tells the server’s reason and tries again', async () => {
  follow(() => Promise.resolve(new Response('{"error":{"message":"16 readers have the events open already."}}', { status: 503 })))
  await vi.advanceTimersByTimeAsync(0)
  expect(states).toEqual([
    ['connecting', ''],
    ['waiting', '16 readers have the events open already.'],
  ])
})

it.each([
  [401, 'refused'],
  [404, 'absent'],
])('ends with a %i', async (status, state) => {
  const asked = follow(() => Promise.resolve(new Response('{}', { status })))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(states.at(-1)).toEqual([state, ''])
  expect(asked()).toBe(1)
})

it('takes a page for no stream', async () => {
  follow(() => Promise.resolve(new Response('<!doctype html>', { headers: { 'Content-Type': 'text/html' } })))
  await vi.advanceTimersByTimeAsync(0)
  expect(states.at(-1)).toEqual(['absent', ''])
})

it('gives a silent stream up, but not one that says that it is still there', async () => {
  let controller: ReadableStreamDefaultController<Uint8Array>
  const asked = follow((signal) => Promise.resolve(stream(signal, (opened) => (controller = opened))))
  await vi.advanceTimersByTimeAsync(0)
  controller!.enqueue(bytes('event: hello\ndata: {}\n\n'))
  await vi.advanceTimersByTimeAsync(30_000)
  controller!.enqueue(bytes(': still here\n\n'))
  await vi.advanceTimersByTimeAsync(30_000)
  expect([asked(), events]).toEqual([1, [{ name: 'hello', data: '{}' }]])
  await vi.advanceTimersByTimeAsync(15_000)
  expect(asked()).toBe(2)
})

it('says nothing any more after its end', async () => {
  let controller: ReadableStreamDefaultController<Uint8Array>
  const asked = follow((signal) => Promise.resolve(stream(signal, (opened) => (controller = opened))))
  await vi.advanceTimersByTimeAsync(0)
  follower!.stop()
  expect(() => controller.enqueue(bytes('data: late\n\n'))).toThrow()
  await vi.advanceTimersByTimeAsync(60_000)
  expect([asked(), events, states.at(-1)]).toEqual([1, [], ['open', '']])
})
