// PURE: which part of an answer stands under the face while one of its words is heard. Parts end where a reader pauses, and
// none is longer than two lines.

const LONGEST_LATIN = 84
/** Chinese, Japanese and Korean characters are twice as wide. */
const LONGEST_WIDE = 40

export interface Subtitle {
  /** Of the part in its answer: as long as it stays, so does what stands there. */
  key: string
  before: string
  word: string
}

/** @param heard the word that is heard, as `start..end` of `text` */
export function subtitleOf(id: string, text: string, heard: { start: number; end: number }): Subtitle {
  const part = partsOf(text).find(({ end }) => heard.start < end) ?? { start: 0, end: text.length }
  return { key: `${id}:${part.start}`, before: text.slice(part.start, heard.start).trimStart(), word: text.slice(heard.start, heard.end) }
}

/** All of `text`, cut after sentences; what is still too long after clauses, then after words. */
export function partsOf(text: string): { start: number; end: number }[] {
  const parts: { start: number; end: number }[] = []
  let start = 0
  while (start < text.length) {
    const end = start + lengthOfPart(text.slice(start))
    parts.push({ start, end })
    start = end
  }
  return parts
}

function lengthOfPart(rest: string): number {
  const longest = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/.test(rest.slice(0, LONGEST_WIDE)) ? LONGEST_WIDE : LONGEST_LATIN
  const window = rest.slice(0, longest)
  const sentence = lastEnd(window, /[.!?…]["'”’)]*\s+|[。！？]["'”’）]*|\n+/g)
  if (sentence > 0) return sentence
  if (rest.length <= longest) return rest.length
  const clause = lastEnd(window, /[,;:–—]\s+|[，；：、]/g)
  if (clause > longest / 3) return clause
  const word = lastEnd(window, /\s+/g)
  if (word > 0) return word
  // Never between the halves of one character.
  return /[\ud800-\udbff]$/.test(window) ? longest - 1 : longest
}

function lastEnd(text: string, pattern: RegExp): number {
  let end = 0
  for (const match of text.matchAll(pattern)) end = match.index + match[0].length
  return end
}
