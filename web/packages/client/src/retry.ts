// PURE but for `pause`: when a lost call is tried again. Waits double from half a second to eight, each shortened
// by chance so that many callers of a restarted server do not come all at once.

const FIRST_MILLIS = 500
const LONGEST_MILLIS = 8_000
/** Then it is given up. */
const GIVE_UP_MILLIS = 120_000

export class Retry {
  attempt = 0

  constructor(private readonly since: number) {}

  /**
   * Milliseconds until the next try, or null when there shall be none.
   * @param random 0 to 1
   * @param leastMillis what the server asked for
   */
  next(now: number, random: number, leastMillis = 0): number | null {
    const left = this.since + GIVE_UP_MILLIS - now
    if (left <= 0) return null
    this.attempt += 1
    const longest = Math.min(FIRST_MILLIS * 2 ** (this.attempt - 1), LONGEST_MILLIS)
    return Math.min(Math.max(longest * (1 - random / 4), leastMillis), left)
  }
}

/** Ends after the time, as soon as the browser is online again, or when `signal` says so. */
export function pause(millis: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      window.removeEventListener('online', end)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, millis)
    window.addEventListener('online', end)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
}
