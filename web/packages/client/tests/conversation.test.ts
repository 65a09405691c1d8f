import { describe, expect, it } from 'vitest'
import { Conversation } from '../src/conversation'
import type { ServerEvent } from '../src/protocol'
import { answerItem, cleared, done, heard, hearing, itemOf, retrieved, says, truncated, userItem } from './script'

function after(...events: ServerEvent[]) {
  const conversation = new Conversation()
  for (const event of events) conversation.handle(event)
  return conversation.entries.map(({ speaker, text, state }) => `${speaker}: ${text} (${state})`)
}

describe('the conversation', () => {
  it('shows the words of both sides as they come', () => {
    const events = [userItem('u1', null), hearing('u1', 'What is'), answerItem('a1', 'u1'), says('a1', 'It'), says('a1', ' is')]
    expect(after(...events)).toEqual(['user: What is (open)', 'face: It is (open)'])
  })

  it('takes the completed transcript in place of its parts, even when it comes after the answer', () => {
    const events = [userItem('u1', null), hearing('u1', 'What his'), answerItem('a1', 'u1'), says('a1', 'It'), heard('u1', ' What is it? ')]
    expect(after(...events)).toEqual(['user: What is it? (done)', 'face: It (open)'])
  })

  it('follows the order of previous_item_id, not that of arrival', () => {
    const conversation = new Conversation()
    for (const event of [userItem('u2', 'a1', 'second'), answerItem('a1', 'u1'), userItem('u1', null, 'first')]) conversation.handle(event)
    expect(conversation.entries.map((entry) => entry.id)).toEqual(['u1', 'u2', 'a1'])
    // The predecessor is known now: the item takes its place.
    conversation.handle(userItem('u2', 'a1', 'second'))
    expect(conversation.entries.map((entry) => entry.id)).toEqual(['u1', 'a1', 'u2'])
  })

  it('keeps the order across items that are not shown', () => {
    const tool = { type: 'conversation.item.added' as const, previous_item_id: 'u1', item: { id: 'f1', type: 'function_call' } }
    expect(after(userItem('u1', null, 'hi'), tool, userItem('u2', 'f1', 'still there?'))).toHaveLength(2)
  })

  it('cuts an interrupted answer to what the server says was heard, and takes no late words', () => {
    const conversation = new Conversation()
    const script = [itemOf('r1', 'a1'), answerItem('a1', null), says('a1', 'One two three four'), cleared('r1')]
    for (const event of script) expect(conversation.handle(event)).toBeNull()
    expect(conversation.handle(truncated('a1'))).toBe('a1')
    for (const event of [says('a1', ' five'), retrieved('a1', 'One two'), done('r1', 'cancelled')]) conversation.handle(event)
    expect(conversation.entries).toEqual([{ id: 'a1', speaker: 'face', text: 'One two', state: 'cut' }])
  })

  it('follows the word that is heard, whatever white space the model wrote before the text', () => {
    const conversation = new Conversation()
    const word = (start: number, end: number): ServerEvent => ({
      type: 'visavis.word',
      response_id: 'r1',
      item_id: 'a1',
      word: '',
      start,
      end,
    })
    const heardText = () => {
      const { text, heard } = conversation.entries[0]!
      return heard && text.slice(heard.start, heard.end)
    }
    for (const event of [itemOf('r1', 'a1'), answerItem('a1', null), says('a1', ' \n'), says('a1', 'It is Paris.')]) conversation.handle(event)
    expect(heardText()).toBeUndefined()
    conversation.handle(word(8, 14))
    expect(heardText()).toBe('Paris.')
    conversation.handle(cleared('r1'))
    expect(heardText()).toBeUndefined()
  })

  it('leaves out speech in which no words were found', () => {
    expect(after(userItem('u1', null), heard('u1', '  '))).toEqual([])
  })

  it('shows a typed message at once, behind what the server knows, and once only', () => {
    const conversation = new Conversation()
    conversation.handle(answerItem('a1', null))
    conversation.addTyped('t1', 'wait')
    conversation.handle(userItem('u1', 'a1', 'said meanwhile'))
    expect(conversation.entries.map((entry) => entry.id)).toEqual(['a1', 'u1', 't1'])
    conversation.handle(userItem('t1', 'u1', 'wait'))
    expect(conversation.entries.map((entry) => entry.state)).toEqual(['open', 'done', 'done'])
  })
})
