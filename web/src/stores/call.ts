// The call as reactive state. All that happens in it is decided by `VisavisCall`; here stand what a call starts with, and
// which conversation it belongs to.

import { ApiError, VisavisCall, type CallState, type Entry, type Hint, type Quality } from '@visavis/client'
import { defineStore } from 'pinia'
import { computed, onScopeDispose, shallowRef, watch } from 'vue'
import { remembered } from '../composables/remembered'
import { changesOf, toPatch, type Fields } from '../settings/values'
import { usePreferences } from './preferences'
import { useServer } from './server'
import { useSettings } from './settings'

/** Changes of the settings are told together, once the visitor has paused. */
const TELL_AFTER_MILLIS = 350
const QUALITY_EVERY_MILLIS = 2_000

export const useCall = defineStore('call', () => {
  const server = useServer()
  const settings = useSettings()
  const preferences = usePreferences()

  /** Of this tab, so that a call after a reload goes on where the last one ended. Whoever knows it can read what was said. */
  const conversationId = remembered<string>('conversation', newConversationId, readConversationId, () => sessionStorage)
  // What is not stored by an assignment is not there after a reload.
  conversationId.value = conversationId.value

  let call: VisavisCall | null = null
  let stops: (() => void)[] = []
  let told: Fields = {}
  const state = shallowRef<CallState>(idle())
  const entries = shallowRef<readonly Entry[]>([])
  const stream = shallowRef<MediaStream | null>(null)
  const hints = shallowRef<readonly Hint[]>([])
  const quality = shallowRef<Quality | null>(null)

  const isLive = computed(() => state.value.phase !== 'idle' && state.value.phase !== 'ended')
  /** Words can be sent, and are heard. */
  const isConnected = computed(() => ['listening', 'thinking', 'speaking'].includes(state.value.phase))

  async function start(wanted: { microphone: boolean }): Promise<void> {
    if (isLive.value) return
    if (wanted.microphone) preferences.introduced = true
    leave()
    hints.value = []
    quality.value = null
    told = settings.fields
    call = new VisavisCall({
      server: server.base,
      conversationId: conversationId.value,
      session: settings.patch,
      ...(preferences.key ? { token: preferences.key } : {}),
    })
    stops = [
      call.on('state', (now) => (state.value = now)),
      call.on('entries', (now) => (entries.value = now)),
      call.on('stream', (now) => (stream.value = now)),
      call.on('hint', ({ kind, hint }) => put(kind, hint)),
    ]
    if (preferences.pushToTalk) call.pushToTalk(true)
    const deviceId = preferences.deviceId
    await call.start({ ...wanted, ...(deviceId ? { deviceId } : {}) })
  }

  function hangUp(): void {
    call?.hangUp()
  }

  /** Hears no more of the last call. */
  function leave(): void {
    call?.hangUp()
    for (const stop of stops) stop()
    stops = []
    call = null
  }

  /** One hint of a kind at most: a newer one takes the place of the older. */
  function put(kind: Hint['kind'], hint: Hint | null): void {
    const others = hints.value.filter((known) => known.kind !== kind)
    hints.value = hint ? [...others, hint] : others
  }

  function setPushToTalk(on: boolean): void {
    preferences.pushToTalk = on
    call?.pushToTalk(on)
  }

  async function setMicrophone(deviceId: string): Promise<void> {
    preferences.deviceId = deviceId
    if (isLive.value) await call?.setMicrophone(deviceId)
  }

  /** What is said from now on belongs to another conversation. */
  function renew(): void {
    hangUp()
    leave()
    conversationId.value = newConversationId()
    entries.value = []
    hints.value = []
    stream.value = null
    state.value = idle()
  }

  /** @throws ApiError if the server could not be told; then nothing is deleted */
  async function forget(): Promise<void> {
    hangUp()
    await server.api.forget(conversationId.value).catch((error: unknown) => {
      // The server keeps none, or nothing was said yet.
      if (!(error instanceof ApiError) || error.status !== 404) throw error
    })
    renew()
  }

  let teller: ReturnType<typeof setTimeout> | undefined
  watch(
    () => settings.fields,
    () => {
      clearTimeout(teller)
      teller = setTimeout(tell, TELL_AFTER_MILLIS)
    },
  )
  watch(isConnected, (is) => is && tell())

  /** Tells the running call what has changed of its settings. */
  function tell(): void {
    if (!call || !isConnected.value) return
    const changes = changesOf(told, settings.fields, server.defaults)
    told = settings.fields
    if (Object.keys(changes).length > 0) call.update(toPatch(changes))
  }

  const poll = setInterval(async () => {
    quality.value = isConnected.value && call ? await call.quality() : null
  }, QUALITY_EVERY_MILLIS)

  // `pagehide` is the one event that mobile browsers send when a tab goes.
  window.addEventListener('pagehide', hangUp)
  onScopeDispose(() => {
    window.removeEventListener('pagehide', hangUp)
    clearTimeout(teller)
    clearInterval(poll)
    leave()
  })

  return {
    state, entries, stream, hints, quality, conversationId, isLive, isConnected,
    start, hangUp, setPushToTalk, setMicrophone, renew, forget,
    dismiss: (kind: Hint['kind']) => put(kind, null),
    talk: (down: boolean) => call?.talk(down),
    setMuted: (muted: boolean) => call?.setMuted(muted),
    sendText: (text: string) => call?.sendText(text) ?? false,
    interrupt: () => call?.interrupt(),
    level: () => call?.level() ?? 0,
    transcript: () => call?.transcript() ?? [],
  }
})

function idle(): CallState {
  return {
    phase: 'idle',
    attempt: 0,
    asking: false,
    hearing: false,
    microphone: 'none',
    pushToTalk: false,
    talking: false,
    artificial: false,
    problem: null,
  }
}

/** 128 random bits; `crypto.randomUUID` is missing on pages without HTTPS. */
function newConversationId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function readConversationId(stored: unknown): string | null {
  return typeof stored === 'string' && /^[0-9a-f]{32}$/.test(stored) ? stored : null
}
