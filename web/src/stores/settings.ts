// What the visitor has set about the conversation: remembered, given with every offer, and told to a running call.

import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { remembered } from '../composables/remembered'
import { fieldsOf, readSettings, serverDefaults, toPatch, type Settings } from '../settings/values'
import { usePreferences } from './preferences'
import { useServer } from './server'

/** A face made of a photo of the visitor's: its id is in no list of the server's. */
export interface Portrait {
  id: string
  name: string
}

const MOST_PORTRAITS = 20

export const useSettings = defineStore('settings', () => {
  const preferences = usePreferences()
  const server = useServer()
  const values = remembered<Settings>('settings', serverDefaults, readSettings)
  const portraits = remembered<Portrait[]>('portraits', () => [], readPortraits)
  /** The drawer is open. */
  const isOpen = ref(false)

  // A Chinese page is used by those who speak Chinese.
  const usualLanguage = computed(() => (preferences.locale === 'zh' ? 'zh' : null))
  const fields = computed(() => fieldsOf(values.value, server.defaults, usualLanguage.value))
  /** What the face is called on this page: as the visitor wishes, or as it is listed; empty if it has no name. */
  const name = computed(() => {
    const id = values.value.avatar ?? server.defaultAvatar
    return values.value.name.trim() || (server.avatars.find((avatar) => avatar.id === id)?.name ?? '')
  })
  const patch = computed(() => toPatch(fields.value))

  function set(change: Partial<Settings>): void {
    values.value = { ...values.value, ...change }
  }

  function reset(): void {
    values.value = serverDefaults()
  }

  function addPortrait(portrait: Portrait): void {
    portraits.value = [...portraits.value, portrait].slice(-MOST_PORTRAITS)
    set({ avatar: portrait.id })
  }

  function dropPortrait(id: string): void {
    portraits.value = portraits.value.filter((portrait) => portrait.id !== id)
    if (values.value.avatar === id) set({ avatar: null })
  }

  return { values, portraits, isOpen, fields, patch, name, set, reset, addPortrait, dropPortrait }
})

function readPortraits(stored: unknown): Portrait[] | null {
  if (!Array.isArray(stored)) return null
  const isPortrait = (one: unknown): one is Portrait =>
    typeof one === 'object' && one !== null && typeof (one as Portrait).id === 'string' && typeof (one as Portrait).name === 'string'
  return stored.filter(isPortrait).slice(-MOST_PORTRAITS)
}
