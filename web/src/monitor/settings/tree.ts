// The configuration as fields that a person can change, and their changes as a JSON merge patch (RFC 7396).

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type Table = { [key: string]: Json }

/** How a value is edited: a list is one entry a line, what fits nowhere else is JSON. */
export type Editor = 'switch' | 'number' | 'line' | 'prose' | 'list' | 'json'

export interface Field {
  path: string
  keys: string[]
  value: Json
  live: boolean
  /** What it is for. */
  words: string
  editor: Editor
}

/** A text this long, or with a line break, is written in an area of its own. */
const PROSE_CHARACTERS = 60
/** Tables whose keys a person chooses are edited as a whole. */
const FREE_TABLES = /\.(?:headers|query|extra_body|env|parameters)$/
/** Lists of tables, which an empty one does not tell. */
const TABLE_LISTS = /^(?:llm\.others|tools\.(?:webhook|mcp))$/
const PROSE_NAMES = /(?:^|[._])(?:prompt|greeting|instructions|description)$/

/** What a section, a setting or what is below it is for. */
export interface Words {
  path: string
  words: string
}

/** Every leaf of the tree, in the order of `words`, else its own; what is below a live path is live, also if it has no value. */
export function fieldsOf(config: Table, live: readonly string[], words: readonly Words[] = []): Field[] {
  const exact = new Set(live)
  const places = new Map(words.map(({ path }, place) => [path, place]))
  /** Of the setting, or of what it is an entry of. */
  const placeOf = (keys: string[]): number => {
    for (let length = keys.length; length > 0; length -= 1) {
      const place = places.get(keys.slice(0, length).join('.'))
      if (place !== undefined) return place
    }
    return words.length
  }
  const field = (keys: string[], value: Json, isLive: boolean): Field => {
    const path = keys.join('.')
    return { path, keys, value, live: isLive, words: words[placeOf(keys)]?.words ?? '', editor: editorOf(path, value) }
  }
  const walk = (value: Json, keys: string[], above: boolean): Field[] => {
    const path = keys.join('.')
    const isLive = above || exact.has(path)
    if (isTable(value) && Object.keys(value).length > 0 && !FREE_TABLES.test(path)) {
      return Object.entries(value).flatMap(([key, inner]) => walk(inner, [...keys, key], isLive))
    }
    return [field(keys, value, isLive)]
  }
  const set = Object.entries(config).flatMap(([key, value]) => walk(value, [key], false))
  const unset = live.filter((path) => !set.some((field) => field.path === path || field.path.startsWith(`${path}.`)))
  const all = [...set, ...unset.map((path) => field(path.split('.'), null, true))]
  return all.sort((one, other) => placeOf(one.keys) - placeOf(other.keys))
}

export function editorOf(path: string, value: Json): Editor {
  if (typeof value === 'boolean') return 'switch'
  if (typeof value === 'number') return 'number'
  if (TABLE_LISTS.test(path)) return 'json'
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string' && !item.includes('\n')) ? 'list' : 'json'
  if (isTable(value)) return 'json'
  return PROSE_NAMES.test(path) || (value ?? '').length > PROSE_CHARACTERS || value?.includes('\n') ? 'prose' : 'line'
}

/** The value as the editor's text. */
export function show(value: Json, editor: Editor): string {
  if (editor === 'list') return (value as string[]).join('\n')
  if (value === null) return ''
  return editor === 'json' ? JSON.stringify(value, null, 2) : String(value)
}

export type Fault = 'number' | 'json'

/** The value that the text stands for, or why it stands for none. */
export function read(text: string, { editor, value }: Field): { value: Json } | { fault: Fault } {
  switch (editor) {
    case 'switch':
      return { value: text === 'true' }
    case 'number': {
      const number = Number(text)
      return text.trim() !== '' && Number.isFinite(number) ? { value: number } : { fault: 'number' }
    }
    case 'list':
      return { value: text.split('\n').map((line) => line.trim()).filter((line) => line !== '') }
    case 'json':
      if (text.trim() === '') return { value: null }
      try {
        return { value: JSON.parse(text) as Json }
      } catch {
        return { fault: 'json' }
      }
    default:
      return { value: value === null ? guess(text) : text }
  }
}

/** Of a setting that is not set nobody knows the type: JSON that is no text, else text. */
function guess(text: string): Json {
  if (text.trim() === '') return null
  try {
    const value = JSON.parse(text) as Json
    return typeof value === 'string' ? text : value
  } catch {
    return text
  }
}

/** A copy of the tree with one leaf changed. */
export function withValue(tree: Table, [key, ...rest]: string[], value: Json): Table {
  if (key === undefined) return tree
  const inner = tree[key]
  return { ...tree, [key]: rest.length ? withValue(isTable(inner) ? inner : {}, rest, value) : value }
}

/** The patch that makes `after` of `before`; empty if they are the same. What a patch cannot say, a null, deletes. */
export function mergePatch(before: Table, after: Table): Table {
  const patch: Table = {}
  for (const key of Object.keys(before)) if (!(key in after)) patch[key] = null
  for (const [key, value] of Object.entries(after)) {
    const old = before[key]
    if (isTable(old) && isTable(value)) {
      const inner = mergePatch(old, value)
      if (Object.keys(inner).length) patch[key] = inner
    } else if (!same(old, value)) patch[key] = value
  }
  return patch
}

/** Whether the error's parameter is about this field: itself, or an entry of it. */
export function concerns(param: string, path: string): boolean {
  return param === path || param.startsWith(`${path}.`) || param.startsWith(`${path}[`)
}

/** Whether all words of the search are in the path, the value or what it is for. */
export function matches({ path, value, words }: Field, search: string): boolean {
  const text = `${path} ${path.replaceAll(/[._]/g, ' ')} ${typeof value === 'string' ? value : JSON.stringify(value)} ${words}`.toLowerCase()
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word))
}

export function isTable(value: Json | undefined): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function same(a: Json | undefined, b: Json | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)))
}

/** With the keys of all tables in one order. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isTable(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]))
}
