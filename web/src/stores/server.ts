// What the server can do, and the faces, voices and models it has. A part that it lacks stays empty, without an error.

import { ServerApi, type AvatarInfo, type ServerStatus, type VoiceInfo } from '@visavis/client'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { defaultsOf, type Defaults } from '../settings/values'
import { usePreferences } from './preferences'

/** Long enough for one reply; the secret itself is not used. */
const SECRET_SECONDS = 10

export const useServer = defineStore('server', () => {
  const preferences = usePreferences()
  // Relative to the page, so that a reverse proxy may put it below a prefix.
  const base = new URL('.', document.baseURI).href
  const api = computed(() => new ServerApi(base, preferences.key || undefined))

  const status = shallowRef<ServerStatus | null>(null)
  const avatars = shallowRef<readonly AvatarInfo[]>([])
  const voices = shallowRef<readonly VoiceInfo[]>([])
  const models = shallowRef<readonly string[]>([])
  const defaults = shallowRef<Defaults>(defaultsOf(null, null))
  const isUnreachable = ref(false)

  const can = (feature: string) => status.value?.features.includes(feature) ?? false
  const defaultAvatar = computed(() => avatars.value.find((avatar) => avatar.default)?.id ?? null)

  /** What the page shows before a call. */
  async function look(): Promise<void> {
    const [now, faces] = await Promise.all([orNull(api.value.status()), orNull(api.value.avatars())])
    isUnreachable.value = now === null
    if (now) status.value = now
    if (faces) avatars.value = faces
  }

  /** What the settings show. */
  async function lookCloser(): Promise<void> {
    await look()
    if (isUnreachable.value) return
    const [session, spoken, known] = await Promise.all([
      defaultSession(),
      orNull(api.value.voices()),
      orNull(api.value.models()),
    ])
    defaults.value = defaultsOf(session, defaultAvatar.value)
    if (spoken) voices.value = spoken
    if (known) models.value = known.map(({ id }) => id)
  }

  /** A secret comes with the session that it stands for: what calls start with if they ask for nothing. */
  async function defaultSession(): Promise<unknown> {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' }
    if (preferences.key) headers.Authorization = `Bearer ${preferences.key}`
    const body = JSON.stringify({ expires_after: { anchor: 'created_at', seconds: SECRET_SECONDS } })
    const reply = await orNull(fetch(new URL('v1/realtime/client_secrets', base), { method: 'POST', headers, body }))
    const answer = reply?.ok ? ((await orNull(reply.json())) as { session?: unknown } | null) : null
    return answer?.session ?? null
  }

  return { base, api, status, avatars, voices, models, defaults, defaultAvatar, isUnreachable, can, look, lookCloser }
})

function orNull<Value>(promise: Promise<Value>): Promise<Value | null> {
  return promise.catch(() => null)
}
