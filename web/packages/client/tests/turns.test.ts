import { describe, expect, it } from 'vitest'
import { Turns } from '../src/turns'
import type { ClientEvent, ServerEvent } from '../src/protocol'
import { cleared, created, done, heard, speechStarted, speechStopped, started, stopped, writtenOut } from './script'

function scene() {
  const sent: ClientEvent[] = []
  const turns = new Turns((event) => sent.push(event))
  return {
    turns,
    sent,
    says: (...events: ServerEvent[]) => events.forEach((event) => turns.handle(event)),
    /** Types of what was sent since the last look. */
    news: () => sent.splice(0).map((event) => event.type),
  }
}

const CREATE = ['conversation.item.create', 'response.create']

describe('a typed message', () => {
  it('goes out at once while the face listens', () => {
    const { turns, sent } = scene()
    turns.submit('t1', 'hello')
    expect(sent[0]).toMatchObject({ item: { id: 't1', role: 'user', content: [{ type: 'input_text', text: 'hello' }] } })
    expect(sent[1]).toMatchObject({ type: 'response.create' })
  })

  it('stops a running answer first and waits until it has stopped', () => {
    const { turns, says, news } = scene()
    says(created('r1'), started('r1'))
    turns.submit('t1', 'stop')
    expect(news()).toEqual(['response.cancel', 'output_audio_buffer.clear'])
    says(cleared('r1'))
    expect(news()).toEqual([])
    says(done('r1', 'cancelled'))
    expect(news()).toEqual(CREATE)
  })

  it('only clears an answer that is written but still heard', () => {
    const { turns, says, news } = scene()
    says(created('r1'), started('r1'), done('r1'))
    turns.submit('t1', 'stop')
    expect(news()).toEqual(['output_audio_buffer.clear'])
    says(cleared('r1'))
    expect(news()).toEqual(CREATE)
  })

  it('never makes two requests overlap, however fast the user types', () => {
    const { turns, says, news } = scene()
    turns.submit('t1', 'one')
    turns.submit('t2', 'two')
    turns.submit('t3', 'three')
    expect(news()).toEqual(CREATE)
    says(created('r1'))
    expect(news()).toEqual(['response.cancel', 'output_audio_buffer.clear'])
    says(done('r1', 'cancelled'))
    expect(news()).toEqual(['conversation.item.create', ...CREATE])
  })

  it('is answered after all when the server had begun an answer to speech in the meantime', () => {
    const { turns, sent, says, news } = scene()
    turns.submit('t1', 'one')
    const request = sent[1]!.event_id
    news()
    says(created('r_voice'))
    expect(turns.handleError({ code: 'conversation_already_has_active_response', event_id: request })).toBe(true)
    expect(news()).toEqual(['response.cancel', 'output_audio_buffer.clear'])
    says(done('r_voice', 'cancelled'))
    expect(news()).toEqual(['response.create'])
  })

  it('goes out although the confirmation of the stop never comes, once the wait is given up', () => {
    const { turns, says, news } = scene()
    says(created('r1'), started('r1'))
    turns.submit('t1', 'stop')
    news()
    expect(turns.isStopping).toBe(true)
    turns.stopWaiting()
    expect(news()).toEqual(CREATE)
    expect(turns.isStopping).toBe(false)
  })
})

describe('the state that is shown', () => {
  it('goes from listening over thinking to speaking and back', () => {
    const { turns, says } = scene()
    const seen = [speechStarted, speechStopped, created('r1'), started('r1'), done('r1'), stopped('r1')].map((event) => {
      says(event)
      return turns.activity
    })
    expect(seen).toEqual(['listening', 'thinking', 'thinking', 'speaking', 'speaking', 'listening'])
  })

  it('stays at thinking when an answer is written before its sound begins', () => {
    const { turns, says } = scene()
    says(created('r1'), writtenOut('r1', 'a1', 'Yes.'), done('r1'))
    expect(turns.activity).toBe('thinking')
    says(started('r1'), stopped('r1'))
    expect(turns.activity).toBe('listening')
  })

  it('returns to listening when nothing was said', () => {
    const { turns, says } = scene()
    says(speechStarted, speechStopped, heard('u', ''))
    expect(turns.activity).toBe('listening')
  })

  it('returns to listening when the answer fails', () => {
    const { turns } = scene()
    turns.submit('t1', 'one')
    expect(turns.handleError({ code: 'server_error', message: 'no model' })).toBe(false)
    turns.handle(created('r1'))
    turns.handle(done('r1', 'failed'))
    expect(turns.activity).toBe('listening')
  })
})
