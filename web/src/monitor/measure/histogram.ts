// A histogram as Prometheus keeps it, and its quantiles as `histogram_quantile` computes them.

export interface Histogram {
  /** Upper bounds, ascending, the last one +Inf; what was seen at or below each. */
  buckets: { bound: number; count: number }[]
  sum: number
  count: number
}

/** Null where nothing was seen. Within a bucket values are taken to be spread evenly. */
export function quantile({ buckets }: Histogram, q: number): number | null {
  const total = buckets.at(-1)?.count ?? 0
  if (!(total > 0) || buckets.length < 2) return null
  const rank = q * total
  const index = buckets.findIndex(({ count }) => count >= rank)
  // Above the last finite bound nothing is known but that bound.
  if (index === buckets.length - 1) return buckets.at(-2)!.bound
  const { bound, count } = buckets[index]!
  const below = buckets[index - 1] ?? { bound: 0, count: 0 }
  if (index === 0 && bound <= 0) return bound
  const within = count - below.count
  return within > 0 ? below.bound + ((bound - below.bound) * (rank - below.count)) / within : bound
}

export function mean({ sum, count }: Histogram): number | null {
  return count > 0 ? sum / count : null
}
