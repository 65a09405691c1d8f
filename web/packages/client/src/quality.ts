// How good the connection is, over the last seconds: samples of `getStats` in, rates and a grade out.

export type Grade = 'good' | 'fair' | 'poor'

/** Null: not known (yet). */
export interface Quality {
  grade: Grade
  roundTripMs: number | null
  /** Of sound and picture together, 0 to 1. */
  lossRatio: number | null
  jitterMs: number | null
  framesPerSecond: number | null
  /** Of sound and picture together, as received. */
  bitsPerSecond: number | null
}

type Measure = 'roundTripMs' | 'lossRatio' | 'jitterMs'

/** Above `fair` a connection is fair, above `poor` poor. Talk suffers from 200 ms on, Opus hides about 1 % of loss. */
export const THRESHOLDS: { readonly [Name in Measure]: { readonly fair: number; readonly poor: number } } = {
  roundTripMs: { fair: 200, poor: 400 },
  lossRatio: { fair: 0.01, poor: 0.05 },
  jitterMs: { fair: 30, poor: 60 },
}

/** Below these; the face has 25 frames a second. */
export const FRAME_THRESHOLDS = { fair: 22, poor: 15 } as const

const WINDOW_MILLIS = 5_000
/** Rates over less say nothing. */
const SHORTEST_MILLIS = 400

export interface Sample {
  atMillis: number
  roundTripMs: number | null
  jitterMs: number | null
  received: number
  lost: number
  bytes: number
  /** Null: there is no picture, or nobody looks at it and the browser may leave frames out. */
  frames: number | null
}

export class QualityMeter {
  private samples: Sample[] = []

  /** Null until there are two samples with some time between them. */
  push(sample: Sample): Quality | null {
    const last = this.samples.at(-1)
    // The counters began anew: another connection.
    if (last && (sample.bytes < last.bytes || sample.atMillis < last.atMillis)) this.samples = []
    this.samples.push(sample)
    while (this.samples.length > 2 && sample.atMillis - this.samples[1]!.atMillis >= WINDOW_MILLIS) this.samples.shift()
    const first = this.samples[0]!
    const millis = sample.atMillis - first.atMillis
    return millis < SHORTEST_MILLIS ? null : rate(first, sample, millis / 1000)
  }

  clear(): void {
    this.samples = []
  }
}

function rate(first: Sample, last: Sample, seconds: number): Quality {
  const received = last.received - first.received
  const lost = Math.max(0, last.lost - first.lost)
  const measured = {
    roundTripMs: last.roundTripMs,
    lossRatio: received + lost > 0 ? lost / (received + lost) : null,
    jitterMs: last.jitterMs,
    framesPerSecond: first.frames === null || last.frames === null ? null : (last.frames - first.frames) / seconds,
    bitsPerSecond: ((last.bytes - first.bytes) * 8) / seconds,
  }
  return { grade: gradeOf(measured, received), ...measured }
}

function gradeOf(measured: Omit<Quality, 'grade'>, received: number): Grade {
  const exceeds = (level: 'fair' | 'poor') =>
    (Object.keys(THRESHOLDS) as Measure[]).some((name) => (measured[name] ?? 0) > THRESHOLDS[name][level]) ||
    (measured.framesPerSecond ?? Infinity) < FRAME_THRESHOLDS[level]
  if (received === 0 || exceeds('poor')) return 'poor'
  return exceeds('fair') ? 'fair' : 'good'
}

/** The counters of a call's received media. */
export function sampleOf(report: RTCStatsReport, atMillis: number, isSeen: boolean): Sample {
  const sample: Sample = { atMillis, roundTripMs: null, jitterMs: null, received: 0, lost: 0, bytes: 0, frames: null }
  const stats: Record<string, unknown>[] = []
  report.forEach((stat: Record<string, unknown>) => stats.push(stat))
  const number = (value: unknown) => (typeof value === 'number' ? value : 0)
  for (const stat of stats) {
    if (stat.type === 'candidate-pair' && stat.nominated === true && typeof stat.currentRoundTripTime === 'number')
      sample.roundTripMs = stat.currentRoundTripTime * 1000
    if (stat.type !== 'inbound-rtp') continue
    sample.received += number(stat.packetsReceived)
    sample.lost += number(stat.packetsLost)
    sample.bytes += number(stat.bytesReceived)
    if (stat.kind === 'audio' && typeof stat.jitter === 'number') sample.jitterMs = stat.jitter * 1000
    if (stat.kind === 'video' && isSeen && typeof stat.framesDecoded === 'number') sample.frames = stat.framesDecoded
  }
  return sample
}
