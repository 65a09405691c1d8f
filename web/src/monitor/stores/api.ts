// Requests of the monitor, relative to the page, so that a reverse proxy may put it below a prefix.

/** Longer than any of its answers takes. */
const TIMEOUT_MILLIS = 8000

export interface ApiProblem {
  status: number
  code: string
  message: string
  param: string | null
}

export class ApiError extends Error implements ApiProblem {
  override name = 'ApiError'
  readonly status: number
  readonly code: string
  readonly param: string | null
  constructor({ status, code, message, param }: ApiProblem) {
    super(message)
    this.status = status
    this.code = code
    this.param = param
  }
}

export const urlOf = (path: string): string => new URL(path, document.baseURI).href

/** The reply, if it is a good one; else an ApiError, or the browser's own if there was no reply. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const reply = await fetch(urlOf(path), { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MILLIS), ...init })
  if (reply.ok) return reply
  const body = (await reply.json().catch(() => null)) as { error?: Partial<ApiProblem> } | null
  const { code, message, param } = body?.error ?? {}
  throw new ApiError({ status: reply.status, code: code ?? '', message: message || `HTTP ${reply.status}`, param: param ?? null })
}
