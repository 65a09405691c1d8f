import { describe, expect, it } from 'vitest'
import { EventParser } from '../../src/monitor/stream/sse'

const TEXT = '\uFEFF: hello\n\nevent: call.started\r\ndata: {"id":"ü€"}\r\n\r\ndata: one\rdata:two\rdata:  three\r\rid: 4\nretry: 5\nevent: empty\n\ndata\n\nevent: last\ndata: never ended\n'
const EVENTS = [
  { name: 'call.started', data: '{"id":"ü€"}' },
  { name: 'message', data: 'one\ntwo\n three' },
  { name: 'message', data: '' },
]

describe('the event stream', () => {
  it('is the same however it is cut', () => {
    for (let size = 1; size <= TEXT.length; size++) {
      const parser = new EventParser()
      const chunks = Array.from({ length: Math.ceil(TEXT.length / size) }, (_, index) => TEXT.slice(index * size, (index + 1) * size))
      expect(chunks.flatMap((chunk) => parser.push(chunk))).toEqual(EVENTS)
    }
  })

  it('has an end, be it in a line or in many', () => {
    expect(() => new EventParser().push(`data: ${'x'.repeat(1_000_001)}`)).toThrow(/a million/)
    const parser = new EventParser()
    expect(() => {
      for (let line = 0; line < 2000; line++) parser.push(`data: ${'x'.repeat(1000)}\n`)
    }).toThrow(/a million/)
  })
})
