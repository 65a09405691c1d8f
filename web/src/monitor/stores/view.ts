// How the monitor is looked at: span of time, theme, language, page. Kept in the browser.

import { defineStore } from 'pinia'
import { computed, ref, watch, watchEffect } from 'vue'
import { i18n, LANGUAGES, type Language } from '../i18n'

export const MINUTES = [2, 5, 15, 30] as const
export type Minutes = (typeof MINUTES)[number]
export type Theme = 'light' | 'dark'
export type Page = 'overview' | 'settings'

const KEY = 'visavis.monitor'

function kept(): Partial<{ minutes: Minutes; theme: Theme; language: Language }> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}')
  } catch {
    return {}
  }
}

function pageOfAddress(): Page {
  return new URLSearchParams(location.search).get('view') === 'settings' ? 'settings' : 'overview'
}

export const useView = defineStore('view', () => {
  const before = kept()
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const systemTheme = ref<Theme>(dark.matches ? 'dark' : 'light')
  dark.addEventListener('change', () => (systemTheme.value = dark.matches ? 'dark' : 'light'))

  const minutes = ref<Minutes>(MINUTES.find((minutes) => minutes === before.minutes) ?? 5)
  const chosenTheme = ref<Theme | undefined>(before.theme)
  const theme = computed(() => chosenTheme.value ?? systemTheme.value)
  const language = ref<Language>(LANGUAGES.find((language) => language === before.language) ?? (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'))
  const page = ref<Page>(pageOfAddress())
  window.addEventListener('popstate', () => (page.value = pageOfAddress()))

  watch([minutes, chosenTheme, language], () => {
    const keep = { minutes: minutes.value, theme: chosenTheme.value, language: language.value }
    try {
      localStorage.setItem(KEY, JSON.stringify(keep))
    } catch {
      // A browser that keeps nothing shows the same page the next time.
    }
  })
  watchEffect(() => {
    document.documentElement.dataset.theme = theme.value
    document.documentElement.lang = language.value === 'zh' ? 'zh-Hans' : 'en'
    i18n.global.locale.value = language.value
    document.title = i18n.global.t('title')
  }, { flush: 'sync' })

  function open(to: Page): void {
    if (to === page.value) return
    page.value = to
    history.pushState(null, '', to === 'settings' ? '?view=settings' : location.pathname)
  }
  const toggleTheme = () => (chosenTheme.value = theme.value === 'dark' ? 'light' : 'dark')
  return { minutes, theme, language, page, open, toggleTheme }
})
