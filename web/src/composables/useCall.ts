// A `VisavisCall` as reactive state for components; nothing is decided here.

import { onScopeDispose, readonly, shallowRef } from 'vue'
import { VisavisCall, type CallState } from '@visavis/client'
import type { Entry } from '@visavis/client'
import type { Hint } from '@visavis/client'

/** Of a call by this page: see `VisavisCall`. */
export function useCall(server: string, language: string | null) {
  const call = new VisavisCall({ server, language: language ?? undefined })
  const state = shallowRef<CallState>(call.state)
  const entries = shallowRef<readonly Entry[]>([])
  const stream = shallowRef<MediaStream | null>(null)
  const hints = shallowRef<readonly Hint[]>([])

  /** One hint of a kind at most: a newer one takes the place of the older. */
  function put(kind: Hint['kind'], hint: Hint | null) {
    const others = hints.value.filter((known) => known.kind !== kind)
    hints.value = hint ? [...others, hint] : others
  }

  const stops = [
    call.on('state', (now) => {
      if (now.phase === 'connecting' && state.value.phase !== 'connecting') hints.value = []
      state.value = now
    }),
    call.on('entries', (now) => (entries.value = now)),
    call.on('stream', (now) => (stream.value = now)),
    call.on('hint', ({ kind, hint }) => put(kind, hint)),
  ]

  // `pagehide` is the one event that mobile browsers send when a tab goes.
  const leave = () => call.hangUp()
  window.addEventListener('pagehide', leave)
  onScopeDispose(() => {
    window.removeEventListener('pagehide', leave)
    for (const stop of stops) stop()
    call.hangUp()
  })

  return {
    state: readonly(state),
    entries,
    stream,
    hints,
    start: (wanted: { microphone: boolean }) => call.start(wanted),
    sendText: (text: string) => call.sendText(text),
    setMuted: (muted: boolean) => call.setMuted(muted),
    hangUp: () => call.hangUp(),
    dismiss: (kind: Hint['kind']) => put(kind, null),
  }
}
