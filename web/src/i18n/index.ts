// Which words the page shows: Chinese where the browser prefers it, English elsewhere.

import type { Problem } from '@visavis/client'
import { en, type Advice, type Words } from './en'
import { zh } from './zh'

export type { Advice, Words }

const isChinese = navigator.language.toLowerCase().startsWith('zh')

export const words: Words = isChinese ? zh : en
/** What the user speaks, where the page knows better than the server. */
export const spokenLanguage = isChinese ? 'zh' : null
export const languageTag = isChinese ? 'zh-Hans' : 'en'

export function adviceFor(problem: Problem): Advice {
  return (words.problems[problem.kind] as (problem: Problem) => Advice)(problem)
}
