// Everything that can go wrong in a call, as data: whoever shows the call turns it into words.

import { endpoint } from './http.js'
import type { EndReason, ErrorBody } from './protocol.js'

/** Why there is no sound from the user; the call goes on with typing. */
export type MicrophoneProblem =
  | 'microphone-missing'
  | 'microphone-refused'
  | 'microphone-busy'
  | 'microphone-lost'
  /** The page is neither on localhost nor HTTPS, so the browser hides the microphone. */
  | 'insecure-page'

/** Why a call did not come about or ended. */
export type FatalProblem =
  | { kind: 'no-webrtc' }
  | { kind: 'unreachable' }
  | { kind: 'server-full'; retryAfterSeconds: number }
  | { kind: 'server-stopping'; retryAfterSeconds: number }
  /** No token, a wrong one, or one whose time is over. */
  | { kind: 'token-refused'; message: string; expired: boolean }
  /** The server takes no calls from pages of this origin. */
  | { kind: 'origin-refused'; origin: string }
  | { kind: 'call-refused'; message: string }
  /** The server answered, but no media path was found (a firewall, mostly). */
  | { kind: 'no-media-path' }
  | { kind: 'connection-lost' }
  | { kind: 'session-ended'; reason: EndReason }

/** What the user should know while the call goes on. */
export type Hint =
  | { kind: MicrophoneProblem }
  /** The browser has no H.264 video: the face is heard and not seen. */
  | { kind: 'no-h264' }
  | { kind: 'unsteady' }
  /** The connection is lost; the next try comes in so many seconds, at once when the network is back. */
  | { kind: 'reconnecting'; attempt: number; waitSeconds: number }
  | { kind: 'session-ending'; reason: EndReason; secondsLeft: number }
  /** A typed message was not sent. */
  | { kind: 'text-too-long'; length: number; limit: number }
  | { kind: 'server-error'; message: string }

export type Problem = FatalProblem | Hint

/** Of a lost call: what may be better at the next try. */
const TRANSIENT: readonly FatalProblem['kind'][] = [
  'unreachable',
  'server-full',
  'server-stopping',
  'no-media-path',
  'connection-lost',
  'session-ended',
]

/** Carries a `FatalProblem` out of the steps that open a call. */
export class CallError extends Error {
  constructor(
    readonly problem: FatalProblem,
    readonly isTransient = TRANSIENT.includes(problem.kind),
  ) {
    super(problem.kind)
    this.name = 'CallError'
  }

  static of(error: unknown): CallError {
    if (error instanceof CallError) return error
    console.error(error)
    return new CallError({ kind: 'call-refused', message: String(error) })
  }
}

/** The browser got no reply, and does not say why. */
export class NoReply extends CallError {
  constructor() {
    super({ kind: 'unreachable' })
  }
}

/** What a refused `POST /v1/realtime/calls` means. Reads the body. */
export async function problemOfReply(reply: globalThis.Response): Promise<FatalProblem> {
  // A gateway without its server behind it.
  if (reply.status === 502 || reply.status === 504) return { kind: 'unreachable' }
  const body = (await reply.json().catch(() => null)) as { error?: ErrorBody } | null
  const code = body?.error?.code
  const message = body?.error?.message ?? `HTTP ${reply.status}`
  if (reply.status === 503) {
    const kind = code === 'shutting_down' ? 'server-stopping' : 'server-full'
    return { kind, retryAfterSeconds: retryAfter(reply.headers.get('Retry-After')) ?? DEFAULT_RETRY_SECONDS }
  }
  if (reply.status === 401) return { kind: 'token-refused', message, expired: code === 'client_secret_expired' }
  if (code === 'origin_not_allowed') return { kind: 'origin-refused', origin: location.origin }
  return { kind: 'call-refused', message }
}

/**
 * A browser hides why a request to another origin failed. If the server does answer a request that asks for no
 * permission, it was the permission that was missing.
 */
export async function refusesOrigin(server: string): Promise<boolean> {
  const url = endpoint(server, 'healthz')
  if (new URL(url).origin === location.origin) return false
  const signal = AbortSignal.timeout(PROBE_TIMEOUT_MILLIS)
  return fetch(url, { mode: 'no-cors', cache: 'no-store', signal }).then(
    () => true,
    () => false,
  )
}

const PROBE_TIMEOUT_MILLIS = 3_000
const DEFAULT_RETRY_SECONDS = 10

/** RFC 9110 10.2.3: seconds or a date; null if it says neither. */
export function retryAfter(header: string | null): number | null {
  if (header === null) return null
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000
  return Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : null
}
