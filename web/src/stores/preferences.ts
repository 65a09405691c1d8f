// How this page looks and is used: remembered on this device, and no affair of the server's.

import { defineStore } from 'pinia'
import { computed, watchEffect } from 'vue'
import { oneOf, remembered } from '../composables/remembered'
import { browserLocale, show, type Locale } from '../i18n'
import { useMedia } from '../composables/useMedia'

export type Theme = 'system' | 'light' | 'dark'

const yesOrNo = (stored: unknown) => (typeof stored === 'boolean' ? stored : null)
const text = (stored: unknown) => (typeof stored === 'string' ? stored : null)

export const usePreferences = defineStore('preferences', () => {
  const theme = remembered<Theme>('theme', () => 'system', oneOf<Theme>('system', 'light', 'dark'))
  const locale = remembered<Locale>('locale', browserLocale, oneOf<Locale>('en', 'zh'))
  const deviceId = remembered<string>('microphone', () => '', text)
  const pushToTalk = remembered<boolean>('push-to-talk', () => false, yesOrNo)
  const subtitles = remembered<boolean>('subtitles', () => true, yesOrNo)
  /** The visitor knows that the browser asks for the microphone. */
  const introduced = remembered<boolean>('introduced', () => false, yesOrNo)
  /** For a server that asks for one; gone with the tab. */
  const key = remembered<string>('key', () => '', text, () => sessionStorage)

  const systemIsDark = useMedia('(prefers-color-scheme: dark)')
  const isDark = computed(() => theme.value === 'dark' || (theme.value === 'system' && systemIsDark.value))

  watchEffect(() => show(locale.value))
  watchEffect(() => {
    document.documentElement.dataset.theme = isDark.value ? 'dark' : 'light'
  })

  return { theme, locale, deviceId, pushToTalk, subtitles, introduced, key, isDark }
})
