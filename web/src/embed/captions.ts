// PURE: what stands under the face. Of an answer the piece that is heard now, so that subtitles never run ahead of
// the voice; of the user what was said or typed last.

import type { Entry } from '@visavis/client'

export interface Caption {
  speaker: 'user' | 'face'
  /** Heard already, heard now, still to come: together the piece that is shown. */
  before: string
  now: string
  after: string
}

/** Longest piece, in columns; a Chinese character takes two. */
const MOST_COLUMNS = 84

/** Null: nothing has been said that can be shown. `previous` stays while the next words are not heard yet. */
export function captionOf(entries: readonly Entry[], previous: Caption | null): Caption | null {
  const entry = entries.at(-1)
  if (!entry) return null
  if (entry.speaker === 'user') return entry.text === '' ? previous : lastPiece('user', entry.text)
  if (entry.heard) {
    const { start, end } = entry.heard
    const [from, to] = pieces(entry.text).find(([, to]) => start < to) ?? [0, entry.text.length]
    const at = (index: number) => Math.min(Math.max(index, from), to)
    return {
      speaker: 'face',
      before: entry.text.slice(from, at(start)).trimStart(),
      now: entry.text.slice(at(start), at(end)),
      after: entry.text.slice(at(end), to).trimEnd(),
    }
  }
  // Its sound is over or has not begun: what was seen last stays, without the mark.
  if (previous?.speaker === 'face') return { ...previous, before: previous.before + previous.now + previous.after, now: '', after: '' }
  return previous
}

function lastPiece(speaker: Caption['speaker'], text: string): Caption {
  const [from, to] = pieces(text).at(-1) ?? [0, text.length]
  return { speaker, before: text.slice(from, to).trim(), now: '', after: '' }
}

/** The text cut at the ends of sentences and, where these are too long, at commas, at spaces, or anywhere. */
export function pieces(text: string): [from: number, to: number][] {
  const found: [number, number][] = []
  for (let from = 0; from < text.length; ) {
    const to = cut(text, from)
    found.push([from, to])
    from = to
  }
  return found
}

const CUTS = [/[.!?…]["'”’)]*\s+|[。！？][”’）]*\s*|\n+/g, /[,;:–—]\s+|[，；：、]/g, /\s+/g]

function cut(text: string, from: number): number {
  let limit = from
  for (let columns = 0; limit < text.length && columns <= MOST_COLUMNS; limit += 1) columns += text.charCodeAt(limit) > 0x2e7f ? 2 : 1
  const window = text.slice(from, limit)
  // The first end of a sentence; or the last comma or space that fits, unless all of it fits.
  const sentence = window.search(CUTS[0]!)
  if (sentence >= 0) return from + sentence + (window.slice(sentence).match(CUTS[0]!)?.[0].length ?? 1)
  if (limit === text.length) return limit
  for (const pattern of CUTS.slice(1)) {
    const last = [...window.matchAll(pattern)].at(-1)
    if (last && last.index > 0) return from + last.index + last[0].length
  }
  // Not between the halves of a character beyond the BMP.
  return /[\uD800-\uDBFF]$/.test(window) ? limit - 1 : limit
}
