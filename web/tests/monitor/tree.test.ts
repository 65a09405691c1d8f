import { describe, expect, it } from 'vitest'
import { concerns, fieldsOf, matches, mergePatch, read, show, withValue, type Field, type Json, type Table } from '../../src/monitor/settings/tree'

const config: Table = {
  language: 'en',
  llm: { temperature: 0.3, system_prompt: 'Be kind.', extra_body: { top_p: 0.9 }, headers: {}, others: [{ provider: 'local' }] },
  asr: { hints: ['Ada', 'Grace'], remote: null },
  video: { mark: true },
}
const live = ['llm.temperature', 'llm.system_prompt', 'llm.extra_body', 'asr', 'video.mark', 'webrtc.udp_ports']
const field = (path: string): Field => fieldsOf(config, live).find((field) => field.path === path)!

/** RFC 7396, as its section 2 has it. */
function apply(target: Json | undefined, patch: Json): Json {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Table = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = apply(result[key], value)
  }
  return result
}

describe('the fields', () => {
  it('are the leaves, with an editor that fits', () => {
    const shown = fieldsOf(config, live).map(({ path, editor, live }) => `${path} ${editor}${live ? ' live' : ''}`)
    expect(shown).toEqual([
      'language line',
      'llm.temperature number live',
      'llm.system_prompt prose live',
      'llm.extra_body json live',
      'llm.headers json',
      'llm.others json',
      'asr.hints list live',
      'asr.remote line live',
      'video.mark switch live',
      'webrtc.udp_ports line live',
    ])
  })

  it('read what they show', () => {
    for (const field of fieldsOf(config, live)) expect(read(show(field.value, field.editor), field)).toEqual({ value: field.value })
  })

  it('say what cannot be read', () => {
    for (const text of ['', ' ', 'warm', '1,5', 'NaN', 'Infinity']) expect(read(text, field('llm.temperature'))).toEqual({ fault: 'number' })
    expect(read('{', field('llm.extra_body'))).toEqual({ fault: 'json' })
    expect(read(' Ada \n\n Alan', field('asr.hints'))).toEqual({ value: ['Ada', 'Alan'] })
  })

  it('that are not set take what the text looks like', () => {
    const readUnset = (text: string) => read(text, field('asr.remote'))
    expect(['', '[50000, 50999]', '7', 'en', '"x"', '{'].map(readUnset)).toEqual([null, [50000, 50999], 7, 'en', '"x"', '{'].map((value) => ({ value })))
  })

  it('are found by words of the path and the value', () => {
    expect(matches(field('llm.system_prompt'), 'prompt kind')).toBe(true)
    expect(matches(field('llm.system_prompt'), 'System LLM')).toBe(true)
    expect(matches(field('llm.system_prompt'), 'prompt unkind')).toBe(false)
  })

  it('have the words of what they are for, and are in the order of these', () => {
    const words = [
      { path: 'llm.system_prompt', words: 'Who speaks.' },
      { path: 'asr', words: 'How it hears.' },
    ]
    const told = fieldsOf(config, live, words).filter(({ words }) => words !== '')
    expect(told[0]).toMatchObject({ path: 'llm.system_prompt', words: 'Who speaks.' })
    expect(told.slice(1).every(({ path, words }) => path.startsWith('asr.') && words === 'How it hears.')).toBe(true)
    expect(matches(told[0]!, 'who speaks')).toBe(true)
  })

  it('know an error that is about them or an entry of them', () => {
    expect(concerns('asr.hints', 'asr.hints')).toBe(true)
    expect(concerns('asr.hints[2]', 'asr.hints')).toBe(true)
    expect(concerns('llm.extra_body.top_p', 'llm.extra_body')).toBe(true)
    expect(concerns('asr.hintsight', 'asr.hints')).toBe(false)
  })
})

describe('the patch', () => {
  it('has what was changed and nothing else', () => {
    const after = withValue(withValue(config, ['llm', 'temperature'], 1), ['llm', 'extra_body'], { seed: 4 })
    const patch = mergePatch(config, after)
    expect(patch).toEqual({ llm: { temperature: 1, extra_body: { top_p: null, seed: 4 } } })
    expect(apply(config, patch)).toEqual(after)
    expect(apply(after, mergePatch(after, config))).toEqual(config)
    expect(config.llm).toMatchObject({ temperature: 0.3 })
  })

  it('sets what was not set, and takes it back', () => {
    const after = withValue(config, ['webrtc', 'udp_ports'], [50000, 50999])
    expect(mergePatch(config, after)).toEqual({ webrtc: { udp_ports: [50000, 50999] } })
    expect(apply(after, mergePatch(after, config))).toEqual(config)
  })

  it('replaces a list as a whole, and is empty where nothing differs but the order of keys', () => {
    expect(mergePatch(config, withValue(config, ['asr', 'hints'], ['Ada']))).toEqual({ asr: { hints: ['Ada'] } })
    expect(mergePatch({ a: [{ b: 1, c: 2 }] }, { a: [{ c: 2, b: 1 }] })).toEqual({})
    expect(mergePatch({ a: { b: {} } }, { a: { b: {} } })).toEqual({})
  })
})
