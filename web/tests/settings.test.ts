// What of the settings goes to the server: with an offer, and as a change of a running call.

import { ApiError } from '@visavis/client'
import { describe, expect, it } from 'vitest'
import { photoProblem } from '../src/settings/photo'
import { changesOf, defaultsOf, fieldsOf, readSettings, serverDefaults, toPatch } from '../src/settings/values'

const SESSION = {
  instructions: 'Be brief.',
  model: 'qwen',
  audio: { input: { transcription: { language: 'en' }, turn_detection: { type: 'semantic_vad' } }, output: { voice: 'joe', speed: 1 } },
}
const defaults = defaultsOf(SESSION, 'man')
const set = (change: object) => ({ ...serverDefaults(), ...change })
const fields = (change: object, language: string | null = null) => fieldsOf(set(change), defaults, language)

describe('an offer', () => {
  it('asks for nothing where nothing is set', () => {
    expect(toPatch(fields({}))).toEqual({})
  })

  it('asks for what is set, by the names of the protocol', () => {
    const change = { voice: 'emma', speed: 1.2, threshold: 0.4, eagerness: 'low', avatar: 'woman', model: 'big', greeting: '', instructions: 'Be kind.' }
    expect(toPatch(fields(change, 'zh'))).toEqual({
      instructions: 'Be kind.',
      greeting: '',
      model: 'big',
      avatar: { type: 'video-avatar', character: 'woman' },
      audio: {
        input: { transcription: { language: 'zh' }, turn_detection: { threshold: 0.4, eagerness: 'low' } },
        output: { voice: 'emma', speed: 1.2 },
      },
    })
  })

  it('prefers the language that was chosen to that of the page', () => {
    expect(fields({ language: 'fr' }, 'zh')['audio.input.transcription.language']).toBe('fr')
  })

  it('tells the face its name without taking the server’s instructions from it', () => {
    expect(fields({ name: ' Ada ' }).instructions).toBe('Your name is Ada. Be brief.')
    expect(fields({ name: 'Ada', instructions: 'Be kind.' }).instructions).toBe('Your name is Ada. Be kind.')
  })
})

describe('a change of a running call', () => {
  it('holds nothing but what has changed', () => {
    expect(changesOf(fields({ voice: 'emma' }), fields({ voice: 'emma', speed: 0.8 }), defaults)).toEqual({ 'audio.output.speed': 0.8 })
  })

  it('goes back to what the server has set', () => {
    const told = changesOf(fields({ voice: 'emma', avatar: 'woman', threshold: 0.3, instructions: 'x' }), fields({}), defaults)
    expect(toPatch(told)).toEqual({
      instructions: 'Be brief.',
      avatar: { type: 'video-avatar', character: 'man' },
      audio: { input: { turn_detection: { threshold: 0.5 } }, output: { voice: 'joe' } },
    })
  })

  it('leaves alone what the server never told', () => {
    expect(changesOf(fields({ voice: 'emma' }), fields({}), defaultsOf(null, null))).toEqual({})
  })

  it('does not greet again', () => {
    expect(changesOf(fields({}), fields({ greeting: 'Hi' }), defaults)).toEqual({})
  })
})

describe('what is remembered', () => {
  it('comes back as it was', () => {
    const settings = set({ voice: 'emma', speed: 1.5, threshold: 0.2, greeting: '', name: 'Ada' })
    expect(readSettings(JSON.parse(JSON.stringify(settings)))).toEqual(settings)
  })

  it('is checked: whatever cannot be is the default', () => {
    expect(readSettings({ voice: 7, speed: 99, threshold: 'x', eagerness: 'never', name: 'a'.repeat(99), model: null })).toEqual(set({ name: 'a'.repeat(40) }))
    expect(readSettings('x')).toBeNull()
    expect(readSettings(null)).toBeNull()
  })
})

describe('a photo that was refused', () => {
  const refused = (status: number, code: string | null) => photoProblem(new ApiError(status, code, null, 'as the server says'))

  it('has words of its own for each reason', () => {
    expect(refused(400, 'several_faces').key).toBe('several_faces')
    expect(refused(413, 'request_too_large').key).toBe('picture_too_large')
    expect(refused(503, 'server_full').key).toBe('busy')
    expect(refused(0, 'unreachable').key).toBe('unreachable')
  })

  it('is told in the server’s words where the page knows no better', () => {
    expect(refused(400, 'haircut')).toEqual({ key: 'other', message: 'as the server says' })
    expect(photoProblem(new TypeError('odd'))).toEqual({ key: 'other', message: 'odd' })
  })
})
