// The steps of an answer, as `visavis.latency` tells them, and what each added to the wait.

/** In the order in which they are passed. */
export const STEPS = ['committed', 'transcribed', 'first_token', 'first_clause', 'first_sound', 'first_packet', 'first_mouth'] as const
export type Step = (typeof STEPS)[number]

/** Milliseconds after the person's last voiced sample, or the request; null: the answer did not come so far. */
export type Latency = { spoken: boolean } & { [S in Step as `${S}_ms`]?: number | null }

export interface Answer {
  /** Milliseconds since 1970 when it was told. */
  at: number
  call: string
  latency: Latency
}

export interface Part {
  step: Step
  /** When it was done. */
  at: number
  /** What it added to the wait: nothing, if a later step was done before it (a draft is made ahead). */
  added: number
}

export function partsOf(latency: Latency): Part[] {
  let reached = 0
  return STEPS.flatMap((step) => {
    const at = latency[`${step}_ms`]
    if (at === null || at === undefined) return []
    const added = Math.max(0, at - reached)
    reached += added
    return [{ step, at, added }]
  })
}

/** From the question to the last step that the answer came to. */
export function totalOf(latency: Latency): number {
  return partsOf(latency).reduce((sum, { added }) => sum + added, 0)
}
