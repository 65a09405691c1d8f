// Which words the page shows. The settings' words are merged in when the drawer is loaded.

import type { Problem } from '@visavis/client'
import { createI18n } from 'vue-i18n'
import { en } from './en'
import { zh } from './zh'

export type Locale = 'en' | 'zh'
type Translate = (key: string, values?: Record<string, unknown>) => string

export const i18n = createI18n({ legacy: false, locale: 'en', fallbackLocale: 'en', messages: { en, zh } })

/** Chinese where the browser prefers it, English elsewhere. */
export const browserLocale = (): Locale => (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en')

export function show(locale: Locale): void {
  i18n.global.locale.value = locale
  document.documentElement.lang = locale === 'zh' ? 'zh-Hans' : 'en'
}

export interface Advice {
  title: string
  advice: string
}

/** What went wrong, and what to do. */
export function adviceFor(t: Translate, problem: Problem): Advice {
  switch (problem.kind) {
    case 'session-ended': {
      const known = ['idle_timeout', 'max_duration', 'shutdown'].includes(problem.reason)
      const at = `ended.byReason.${known ? problem.reason : 'other'}`
      return { title: t(`${at}.title`), advice: t(`${at}.advice`) }
    }
    case 'session-ending':
      return {
        title: t('ending.title', { seconds: problem.secondsLeft }),
        advice: t(problem.reason === 'idle_timeout' ? 'ending.idle_timeout' : 'ending.other'),
      }
    default: {
      const at = `problems.${problem.kind}`
      return { title: t(`${at}.title`), advice: t(`${at}.advice`, { ...problem }) }
    }
  }
}
