// The transcript as something to take along: to the clipboard, or as a file.

import { toJson, toText, toWebVtt, type SpeakerNames, type TranscriptLine } from '@visavis/client'
import { useI18n } from 'vue-i18n'
import { useCall } from '../stores/call'
import { useSettings } from '../stores/settings'

type Write = (lines: TranscriptLine[], names: SpeakerNames) => string

const FORMATS: Record<'txt' | 'json' | 'vtt', { type: string; write: Write }> = {
  txt: { type: 'text/plain', write: toText },
  json: { type: 'application/json', write: toJson },
  vtt: { type: 'text/vtt', write: toWebVtt },
}

export type Format = keyof typeof FORMATS

export function useTranscript() {
  const { t } = useI18n()
  const call = useCall()
  const settings = useSettings()
  const written = (write: Write) =>
    write(call.transcript(), { user: t('conversation.you'), face: settings.name || t('conversation.other') })

  /** False if the browser does not let the page write to the clipboard. */
  async function copy(): Promise<boolean> {
    try {
      await navigator.clipboard.writeText(written(toText))
      return true
    } catch {
      return false
    }
  }

  function download(format: Format): void {
    const { type, write } = FORMATS[format]
    const url = URL.createObjectURL(new Blob([written(write)], { type: `${type};charset=utf-8` }))
    const link = document.createElement('a')
    link.href = url
    link.download = `visavis-${new Date().toISOString().slice(0, 16).replace(/[T:]/g, '-')}.${format}`
    link.click()
    URL.revokeObjectURL(url)
  }

  return { copy, download }
}
