// What a visitor can set about a conversation, and what of it goes to the server: pure. Null is the server's default.

import type { SessionPatch } from '@visavis/client'

export const EAGERNESS = ['low', 'auto', 'high'] as const
export type Eagerness = (typeof EAGERNESS)[number]

/** What the server takes (`session.audio.output.speed`), less what nobody understands. */
export const SPEEDS = { least: 0.5, most: 1.5 } as const
/** Beyond these a voice is never heard, or everything is one. */
export const THRESHOLDS = { least: 0.2, most: 0.9, usual: 0.5 } as const
export const LONGEST = { name: 40, instructions: 8000, greeting: 500 } as const

export interface Settings {
  name: string
  instructions: string
  /** An empty text is no greeting. */
  greeting: string | null
  voice: string | null
  language: string | null
  avatar: string | null
  threshold: number | null
  eagerness: Eagerness | null
  speed: number | null
  model: string | null
}

export const serverDefaults = (): Settings => ({
  name: '',
  instructions: '',
  greeting: null,
  voice: null,
  language: null,
  avatar: null,
  threshold: null,
  eagerness: null,
  speed: null,
  model: null,
})

/** What was stored, with the default in place of whatever is not usable. */
export function readSettings(stored: unknown): Settings | null {
  if (typeof stored !== 'object' || stored === null) return null
  const from = stored as Record<string, unknown>
  const text = (name: string, longest: number) => (typeof from[name] === 'string' ? from[name].slice(0, longest) : null)
  const number = (name: string, { least, most }: { least: number; most: number }) =>
    typeof from[name] === 'number' && from[name] >= least && from[name] <= most ? from[name] : null
  return {
    name: text('name', LONGEST.name) ?? '',
    instructions: text('instructions', LONGEST.instructions) ?? '',
    greeting: text('greeting', LONGEST.greeting),
    voice: text('voice', 200),
    language: text('language', 20),
    avatar: text('avatar', 200),
    threshold: number('threshold', THRESHOLDS),
    eagerness: EAGERNESS.find((value) => value === from.eagerness) ?? null,
    speed: number('speed', SPEEDS),
    model: text('model', 200),
  }
}

/** Values by their path in the session: `audio.output.voice`. */
export type Fields = Readonly<Record<string, unknown>>

/** What the server sets itself, as far as it is known; it takes the place of what is no longer set. */
export interface Defaults {
  readonly fields: Fields
  readonly instructions: string
}

/** @param usualLanguage of what is said, where the page knows better than the server */
export function fieldsOf(settings: Settings, defaults: Defaults, usualLanguage: string | null): Fields {
  const instructions = settings.instructions.trim() || (settings.name.trim() ? defaults.instructions : '')
  const persona = [settings.name.trim() && `Your name is ${settings.name.trim()}.`, instructions].filter(Boolean).join(' ')
  const all: Record<string, unknown> = {
    instructions: persona || null,
    'audio.output.voice': settings.voice,
    'audio.output.speed': settings.speed,
    'audio.input.transcription.language': settings.language ?? usualLanguage,
    'audio.input.turn_detection.threshold': settings.threshold,
    'audio.input.turn_detection.eagerness': settings.eagerness,
    'avatar.type': settings.avatar && 'video-avatar',
    'avatar.character': settings.avatar,
    model: settings.model,
    greeting: settings.greeting,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))
}

/** What must be told to a call that was told `before`, so that it is as `after`. The greeting was said, or was not. */
export function changesOf(before: Fields, after: Fields, defaults: Defaults): Fields {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  names.delete('greeting')
  const changed = [...names].filter((name) => before[name] !== after[name])
  const values = changed.map((name) => [name, after[name] ?? defaults.fields[name]] as const)
  const told = values.filter(([, value]) => value !== undefined)
  if (told.some(([name]) => name === 'avatar.character')) told.push(['avatar.type', 'video-avatar'])
  return Object.fromEntries(told)
}

export function toPatch(fields: Fields): SessionPatch {
  const patch: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(fields)) {
    const names = path.split('.')
    const last = names.pop() as string
    let at = patch
    for (const name of names) at = (at[name] ??= {}) as Record<string, unknown>
    at[last] = value
  }
  return patch
}

/** Of a session as the server tells it: the fields that can be set here. */
export function defaultsOf(session: unknown, avatar: string | null): Defaults {
  const at = (path: string) => path.split('.').reduce<unknown>((inner, name) => (inner as Record<string, unknown> | null)?.[name], session)
  const paths = [
    'instructions',
    'audio.output.voice',
    'audio.output.speed',
    'audio.input.transcription.language',
    'audio.input.turn_detection.threshold',
    'audio.input.turn_detection.eagerness',
    'model',
  ]
  const fields: Record<string, unknown> = {
    'audio.input.turn_detection.threshold': THRESHOLDS.usual,
    'audio.input.turn_detection.eagerness': 'auto',
    'audio.output.speed': 1,
  }
  for (const path of paths) {
    const value = at(path)
    if (value !== undefined && value !== null) fields[path] = value
  }
  if (avatar !== null) fields['avatar.character'] = avatar
  return { fields, instructions: typeof fields.instructions === 'string' ? fields.instructions : '' }
}
