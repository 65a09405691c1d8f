// The server's configuration, what is being changed of it, and how the server takes it: all or nothing.

import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { concerns, fieldsOf, mergePatch, read, show, withValue, type Fault, type Field, type Table, type Words } from '../settings/tree'
import { useAdmin } from './admin'
import { ApiError, request } from './api'

interface Reply {
  config: Table
  live: string[]
  words: Words[]
}

export const useSettings = defineStore('settings', () => {
  const admin = useAdmin()
  const config = shallowRef<Table | null>(null)
  const live = shallowRef<string[]>([])
  const words = shallowRef<Words[]>([])
  /** Texts of the editors that differ from the configuration, by path. */
  const edits = ref(new Map<string, string>())
  /** What the server said of a field. */
  const refusals = ref(new Map<string, string>())
  /** What it said that concerns no field. */
  const problem = ref('')
  const busy = ref(false)
  /** What takes the last change back. */
  const undoPatch = shallowRef<Table | null>(null)
  const saved = ref(0)

  const fields = computed(() => (config.value ? fieldsOf(config.value, live.value, words.value) : []))
  const byPath = computed(() => new Map(fields.value.map((field) => [field.path, field])))
  const changed = computed(() => [...edits.value.keys()].flatMap((path) => byPath.value.get(path) ?? []))
  const faults = computed(() => {
    const found = new Map<string, Fault>()
    for (const field of changed.value) {
      const result = read(edits.value.get(field.path)!, field)
      if ('fault' in result) found.set(field.path, result.fault)
    }
    return found
  })

  const textOf = (field: Field): string => edits.value.get(field.path) ?? show(field.value, field.editor)

  function edit(field: Field, text: string): void {
    refusals.value.delete(field.path)
    if (text === show(field.value, field.editor)) edits.value.delete(field.path)
    else edits.value.set(field.path, text)
  }

  function discard(): void {
    edits.value.clear()
    refusals.value.clear()
    problem.value = ''
  }

  function forget(): void {
    discard()
    config.value = null
    undoPatch.value = null
  }

  async function load(): Promise<void> {
    problem.value = ''
    try {
      take((await (await request('api/config', { headers: admin.headers() })).json()) as Reply)
    } catch (error) {
      object(error)
    }
  }

  async function save(): Promise<void> {
    const before = config.value
    if (!before || faults.value.size || busy.value) return
    let after = before
    for (const field of changed.value) {
      const result = read(edits.value.get(field.path)!, field)
      if ('value' in result) after = withValue(after, field.keys, result.value)
    }
    if (await patch(mergePatch(before, after))) {
      edits.value.clear()
      undoPatch.value = mergePatch(after, before)
    }
  }

  async function undo(): Promise<void> {
    if (undoPatch.value && (await patch(undoPatch.value))) undoPatch.value = null
  }

  async function patch(body: Table): Promise<boolean> {
    if (Object.keys(body).length === 0) return true
    busy.value = true
    refusals.value.clear()
    problem.value = ''
    try {
      const headers = { ...admin.headers(), 'Content-Type': 'application/merge-patch+json' }
      take((await (await request('api/config', { method: 'PATCH', headers, body: JSON.stringify(body) })).json()) as Reply)
      saved.value += 1
      return true
    } catch (error) {
      object(error)
      return false
    } finally {
      busy.value = false
    }
  }

  function take(reply: Reply): void {
    config.value = reply.config
    live.value = reply.live
    words.value = reply.words
    // Texts that say what the configuration says by now are no changes.
    for (const [path, text] of edits.value) {
      const field = byPath.value.get(path)
      if (!field || show(field.value, field.editor) === text) edits.value.delete(path)
    }
  }

  function object(error: unknown): void {
    const { message, param, status } = error instanceof ApiError ? error : { message: '', param: null, status: 0 }
    if (status === 401) admin.refuse()
    const at = param === null ? undefined : fields.value.find(({ path }) => concerns(param, path))
    if (at) refusals.value.set(at.path, message)
    else problem.value = message || 'unreachable'
  }

  return { config, fields, edits, changed, faults, refusals, problem, busy, undoPatch, saved, textOf, edit, discard, forget, load, save, undo }
})
