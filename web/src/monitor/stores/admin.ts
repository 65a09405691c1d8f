// The admin key: out of the address (/monitor#KEY) or typed, kept for this tab only, told to nobody but the server.

import { defineStore } from 'pinia'
import { computed, ref } from 'vue'

const KEY = 'visavis.admin-key'

/** What the server says of the key; `absent`: it has nothing for admins. */
export type Access = 'none' | 'asking' | 'granted' | 'refused' | 'absent'

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function fromAddress(): string {
  const key = decoded(location.hash.slice(1)).trim()
  // Out of the address bar and the browser's history, whoever looks over the shoulder.
  if (key) history.replaceState(null, '', location.pathname + location.search)
  return key
}

export const useAdmin = defineStore('admin', () => {
  const key = ref('')
  const access = ref<Access>('none')
  const isAdmin = computed(() => access.value === 'granted')

  /** From the address, else as it was kept. */
  function take(): void {
    set(fromAddress() || sessionStorage.getItem(KEY) || '')
  }

  function set(to: string): void {
    key.value = to.trim()
    access.value = key.value ? 'asking' : 'none'
    // No header can carry it, so it is no key.
    if (/[^\x21-\x7e]/.test(key.value)) {
      key.value = ''
      return refuse()
    }
    if (key.value) sessionStorage.setItem(KEY, key.value)
    else sessionStorage.removeItem(KEY)
  }

  /** What the key cannot do it need not be kept for. */
  function refuse(): void {
    access.value = 'refused'
    sessionStorage.removeItem(KEY)
  }

  const headers = (): Record<string, string> => (key.value ? { Authorization: `Bearer ${key.value}` } : {})
  return { key, access, isAdmin, take, set, refuse, headers }
})
