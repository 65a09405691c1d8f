// The monitor's words, in English and Chinese.

import { createI18n } from 'vue-i18n'
import { en } from './en'
import { zh } from './zh'

export const LANGUAGES = ['en', 'zh'] as const
export type Language = (typeof LANGUAGES)[number]

/** The shape of English, with any words. */
export type Words<Shape = typeof en> = { [Key in keyof Shape]: Shape[Key] extends string ? string : Words<Shape[Key]> }

export const i18n = createI18n({
  legacy: false,
  locale: 'en' as Language,
  fallbackLocale: 'en',
  messages: { en: en as Words, zh: zh as Words },
})

/** The word for what the server named, or its name as it is. */
export function wordFor(group: string, name: string): string {
  const { t, te } = i18n.global
  return te(`${group}.${name}`) ? t(`${group}.${name}`) : name.replaceAll('_', ' ')
}
