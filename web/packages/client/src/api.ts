// The requests of a page beside the call itself: what the server offers, faces, a voice to listen to.

import { authorization, endpoint, type Token } from './http.js'
import { retryAfter } from './problems.js'
import type { ErrorBody } from './protocol.js'

export interface ServerStatus {
  version: string
  uptime_seconds: number
  calls: { active: number; limit: number; total: number }
  engines: Record<string, string>
  /** What this server can do: `say`, `uploads`, `memory`, `admin`. */
  features: string[]
  /** Codes of ISO 639-1 that it understands. */
  languages: string[]
  /** How long conversations are kept; null: for ever. */
  conversation_days: number | null
  persona: { greeting: string }
}

export interface VoiceInfo {
  id: string
  name: string
  /** Tags such as `en-US`. */
  languages: string[]
  default: boolean
}

export interface ModelInfo {
  id: string
  created?: number
  owned_by?: string
}

export interface AvatarInfo {
  id: string
  name: string
  /** `drawn`, `portrait` or `wav2lip`. */
  kind: string
  author: string
  licence: string
  built_in: boolean
  /** Whom calls see that ask for nobody. */
  default: boolean
}

/** The server said no, or (status 0) nothing at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string | null,
    readonly param: string | null,
    message: string,
    readonly retryAfterSeconds?: number,
  ) {
    super(message)
    this.name = 'ApiError'
  }
}

export class ServerApi {
  constructor(
    private readonly server: string,
    private readonly token?: Token,
  ) {}

  async status(): Promise<ServerStatus> {
    return this.json('api/status')
  }

  async voices(): Promise<VoiceInfo[]> {
    return (await this.json<{ data: VoiceInfo[] }>('v1/voices')).data
  }

  async models(): Promise<ModelInfo[]> {
    return (await this.json<{ data: ModelInfo[] }>('v1/models')).data
  }

  async avatars(): Promise<AvatarInfo[]> {
    return (await this.json<{ data: AvatarInfo[] }>('v1/avatars')).data
  }

  /** For an `<img>`: PNG, no token is asked for. */
  avatarPictureUrl(id: string): string {
    return endpoint(this.server, `v1/avatars/${encodeURIComponent(id)}/picture`)
  }

  /** For a `<video loop muted>`: MP4 of about three seconds. */
  avatarClipUrl(id: string): string {
    return endpoint(this.server, `v1/avatars/${encodeURIComponent(id)}/clip`)
  }

  /** Makes a face of a photo. Its id is a secret of whoever sent it. */
  async uploadPhoto(photo: Blob): Promise<AvatarInfo> {
    return this.json('v1/avatars', { method: 'POST', body: photo })
  }

  async deleteAvatar(id: string): Promise<void> {
    await this.request(`v1/avatars/${encodeURIComponent(id)}`, { method: 'DELETE' })
  }

  /** A voice as sound (WAV), to be listened to. */
  async speak(voice: string, text: string): Promise<Blob> {
    const body = JSON.stringify({ input: text, voice, response_format: 'wav' })
    const reply = await this.request('v1/audio/speech', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })
    return reply.blob()
  }

  /** Deletes what is kept of a conversation. */
  async forget(conversationId: string): Promise<void> {
    await this.request(`v1/realtime/conversations/${encodeURIComponent(conversationId)}`, { method: 'DELETE' })
  }

  private async json<Body>(path: string, init?: RequestInit): Promise<Body> {
    const reply = await this.request(path, init)
    return reply.json().catch(() => {
      throw new ApiError(reply.status, 'not_json', null, `The answer to ${path} is not JSON: is this the right server?`)
    }) as Promise<Body>
  }

  private async request(path: string, init: RequestInit = {}): Promise<globalThis.Response> {
    const headers = { ...(await authorization(this.token)), ...(init.headers as Record<string, string> | undefined) }
    const reply = await fetch(endpoint(this.server, path), { ...init, headers }).catch((error: unknown) => {
      throw new ApiError(0, 'unreachable', null, `The server cannot be reached: ${String(error)}`)
    })
    if (reply.ok) return reply
    const { error } = ((await reply.json().catch(() => null)) ?? {}) as { error?: ErrorBody }
    const wait = retryAfter(reply.headers.get('Retry-After')) ?? undefined
    const message = error?.message ?? `${path}: HTTP ${reply.status}`
    throw new ApiError(reply.status, error?.code ?? null, error?.param ?? null, message, wait)
  }
}
