// The transcript as something to take along: to the clipboard, or as a file.

import { toJson, toText, toWebVtt } from '@visavis/client'
import { useCall } from '../stores/call'

const FORMATS = {
  txt: { type: 'text/plain', write: toText },
  json: { type: 'application/json', write: toJson },
  vtt: { type: 'text/vtt', write: toWebVtt },
} as const

export type Format = keyof typeof FORMATS

export function useTranscript() {
  const call = useCall()

  /** False if the browser does not let the page write to the clipboard. */
  async function copy(): Promise<boolean> {
    try {
      await navigator.clipboard.writeText(toText(call.transcript()))
      return true
    } catch {
      return false
    }
  }

  function download(format: Format): void {
    const { type, write } = FORMATS[format]
    const url = URL.createObjectURL(new Blob([write(call.transcript())], { type: `${type};charset=utf-8` }))
    const link = document.createElement('a')
    link.href = url
    link.download = `visavis-${new Date().toISOString().slice(0, 16).replace(/[T:]/g, '-')}.${format}`
    link.click()
    URL.revokeObjectURL(url)
  }

  return { copy, download }
}
