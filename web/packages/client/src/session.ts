// The settings of a call as a client changes them: OpenAI's field names, the face by Azure's. A patch names what
// it changes and leaves the rest as it is; null switches a thing off.

/** When a turn of the user is over; null leaves that to the client (push to talk). */
export interface TurnDetection {
  type: 'semantic_vad' | 'server_vad'
  /** Probability of speech, 0 to 1. */
  threshold?: number | undefined
  eagerness?: 'low' | 'medium' | 'high' | 'auto' | undefined
  prefix_padding_ms?: number | undefined
  silence_duration_ms?: number | undefined
  create_response?: boolean | undefined
  interrupt_response?: boolean | undefined
}

export interface SessionPatch {
  type?: 'realtime' | undefined
  model?: string | undefined
  /** The system prompt. */
  instructions?: string | undefined
  /** What the face says first; an empty text: nothing. Counts before anything was said. */
  greeting?: string | undefined
  audio?:
    | {
        input?:
          | {
              transcription?: { language?: string | undefined; prompt?: string | undefined } | null | undefined
              turn_detection?: TurnDetection | null | undefined
            }
          | undefined
        output?: { voice?: string | undefined; speed?: number | undefined } | undefined
      }
    | undefined
  avatar?:
    | {
        type?: 'video-avatar' | undefined
        character?: string | undefined
        video?: { background?: { color?: string | undefined } | undefined } | undefined
      }
    | undefined
  [other: string]: unknown
}

type Fields = Record<string, unknown>

/** Both as one, `later` last, by the server's own rules: objects field by field, unless their `type` differs. */
export function merge<Patch extends object>(earlier: Patch, later: Patch): Patch {
  const merged = { ...earlier } as Fields
  for (const [name, value] of Object.entries(later)) {
    if (value === undefined) continue
    const old = merged[name]
    merged[name] = isObject(old) && isObject(value) && isSameType(old, value) ? merge(old, value) : value
  }
  return merged as Patch
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSameType(old: Fields, value: Fields): boolean {
  return old.type === undefined || value.type === undefined || old.type === value.type
}
