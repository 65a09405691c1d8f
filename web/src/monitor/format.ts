// Numbers as they are shown, of one width as far as that goes. What is not known is a dash.

export const UNKNOWN = '—'

type Maybe = number | null | undefined

function known(value: Maybe): value is number {
  return value !== null && value !== undefined && Number.isFinite(value)
}

export function count(value: Maybe): string {
  return known(value) ? Math.round(value).toLocaleString('en-US') : UNKNOWN
}

export function decimal(value: Maybe, digits = 1): string {
  return known(value) ? value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }) : UNKNOWN
}

/** To a tenth, and without it where there is none: what may be a whole number looks the same whether it was counted or computed. */
export function tenths(value: Maybe): string {
  return known(value) ? value.toLocaleString('en-US', { maximumFractionDigits: 1 }) : UNKNOWN
}

/** Of a share from 0 to 1. */
export function percent(share: Maybe, digits = 1): string {
  return known(share) ? `${decimal(share * 100, digits)} %` : UNKNOWN
}

/** A time that somebody waits for, of seconds. */
export function seconds(value: Maybe): string {
  if (!known(value)) return UNKNOWN
  if (value < 0.01) return `${decimal(value * 1000, value < 0.001 ? 2 : 1)} ms`
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${decimal(value, 2)} s`
}

export function millis(value: Maybe): string {
  return seconds(known(value) ? value / 1000 : null)
}

export function bytes(value: Maybe): string {
  if (!known(value)) return UNKNOWN
  return value < 1e9 ? `${Math.round(value / 1e6)} MB` : `${decimal(value / 1e9, 2)} GB`
}

/** A time that passes: `4:05`, `1:02:09`, `3 d 04:12`. */
export function duration(value: Maybe): string {
  if (!known(value)) return UNKNOWN
  const all = Math.max(0, Math.floor(value))
  const [days, hours, minutes, rest] = [Math.floor(all / 86400), Math.floor(all / 3600) % 24, Math.floor(all / 60) % 60, all % 60]
  const two = (part: number) => String(part).padStart(2, '0')
  if (days) return `${days} d ${two(hours)}:${two(minutes)}`
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

/** The time of day, of milliseconds since 1970. */
export function clock(at: Maybe): string {
  return known(at) ? new Date(at).toLocaleTimeString('en-GB', { hour12: false }) : UNKNOWN
}
