// Everything that can go wrong in a call, as data: the page turns it into words (`src/i18n`).

import type { EndReason, ErrorBody } from './protocol'

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
  | { kind: 'no-h264' }
  | { kind: 'unreachable' }
  | { kind: 'server-full'; retryAfterSeconds: number }
  | { kind: 'server-stopping'; retryAfterSeconds: number }
  | { kind: 'call-refused'; message: string }
  /** The server answered, but no media path was found (a firewall, mostly). */
  | { kind: 'no-media-path' }
  | { kind: 'connection-lost' }
  | { kind: 'session-ended'; reason: EndReason }

/** What the user should know while the call goes on. */
export type Hint =
  | { kind: MicrophoneProblem }
  | { kind: 'unsteady' }
  | { kind: 'session-ending'; reason: EndReason; secondsLeft: number }
  | { kind: 'server-error'; message: string }

export type Problem = FatalProblem | Hint

/** Carries a `FatalProblem` out of the steps that open a call. */
export class CallError extends Error {
  constructor(readonly problem: FatalProblem) {
    super(problem.kind)
    this.name = 'CallError'
  }
}

const DEFAULT_RETRY_SECONDS = 10

/** What a refused `POST /v1/realtime/calls` means. Reads the body. */
export async function problemOfReply(reply: globalThis.Response): Promise<FatalProblem> {
  // A gateway without its server behind it.
  if (reply.status === 502 || reply.status === 504) return { kind: 'unreachable' }
  const body = (await reply.json().catch(() => null)) as { error?: ErrorBody } | null
  if (reply.status === 503) {
    const kind = body?.error?.code === 'shutting_down' ? 'server-stopping' : 'server-full'
    return { kind, retryAfterSeconds: retryAfter(reply.headers.get('Retry-After')) }
  }
  return { kind: 'call-refused', message: body?.error?.message ?? `HTTP ${reply.status}` }
}

/** RFC 9110 10.2.3: seconds or a date. */
function retryAfter(header: string | null): number {
  if (header === null) return DEFAULT_RETRY_SECONDS
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000
  return Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : DEFAULT_RETRY_SECONDS
}
