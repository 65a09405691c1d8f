// What the monitor shows, read from the history: every name of a metric that it knows stands here. A metric that the
// server does not have reads null.

import { STEPS, type Step } from './answers'
import { quantile, type Histogram } from './histogram'
import type { History, Span } from './history'
import type { Family, Labels, Scrape } from './prometheus'

/** Gauges of one call each; their columns would come and go with the calls. */
const PER_CALL = ['visavis_call_round_trip_seconds', 'visavis_call_loss_ratio', 'visavis_call_jitter_seconds']

/** The scrape with the gauges of calls folded into `NAME:mean` and `NAME:worst`. */
export function foldCalls(scrape: Scrape): Scrape {
  const folded: Scrape = new Map()
  for (const family of scrape.values()) {
    const values = family.samples.filter(({ labels }) => labels.call !== undefined).map(({ value }) => value)
    folded.set(family.name, { ...family, samples: family.samples.filter(({ labels }) => labels.call === undefined) })
    const known = values.filter((value) => !Number.isNaN(value))
    if (!PER_CALL.includes(family.name) || known.length === 0) continue
    add(folded, `${family.name}:mean`, known.reduce((sum, value) => sum + value, 0) / known.length)
    add(folded, `${family.name}:worst`, Math.max(...known))
  }
  return folded
}

function add(scrape: Scrape, name: string, value: number): void {
  const family: Family = { name, kind: 'gauge', help: '', samples: [{ name, labels: {}, value }] }
  scrape.set(name, family)
}

export interface Percentiles {
  count: number
  p50: number | null
  p95: number | null
}

export function percentiles(histogram: Histogram | null): Percentiles | null {
  return histogram && { count: histogram.count, p50: quantile(histogram, 0.5), p95: quantile(histogram, 0.95) }
}

/** Pictures sent each second; where they are not counted, pictures encoded. */
export function framesPerSecond(history: History, span: Span): number | null {
  const name = history.has('visavis_frames_sent_total') ? 'visavis_frames_sent_total' : 'visavis_frame_encode_seconds_count'
  return history.rate(name, {}, span)
}

/** A counter with labels is not there before it first counts: nothing happened. */
function counted(history: History, name: string, match: Labels, span: Span): number | null {
  return history.length ? (history.increase(name, match, span) ?? 0) : null
}

export function headline(history: History, span: Span) {
  return {
    calls: history.now('visavis_calls_active'),
    answer: percentiles(history.histogram('visavis_answer_step_seconds', { question: 'spoken', step: 'first_sound' }, span)),
    typed: percentiles(history.histogram('visavis_answer_step_seconds', { question: 'typed', step: 'first_sound' }, span)),
    silent: percentiles(history.histogram('visavis_barge_in_silent_seconds', {}, span)),
    lateBeats: history.increase('visavis_media_late_beats_total', {}, span),
    drops: counted(history, 'visavis_dropped_total', {}, span),
    errors: counted(history, 'visavis_errors_total', {}, span),
    refused: counted(history, 'visavis_calls_refused_total', {}, span),
  }
}

export const CHARTS = ['calls', 'cores', 'memory', 'frames', 'draw', 'roundTrip', 'loss', 'late'] as const
export type ChartName = (typeof CHARTS)[number]
/** Values over time, one for each step; null: nothing is known of it. */
export type Series = (number | null)[]

/** Whether the server measures what a chart shows; of calls nothing is there while there is no call. */
export function isMeasured(history: History, chart: ChartName): boolean {
  const names: Record<ChartName, string> = {
    calls: 'visavis_calls_active',
    cores: 'process_cpu_seconds_total',
    memory: 'process_resident_memory_bytes',
    frames: 'visavis_frame_encode_seconds_count',
    draw: 'visavis_frame_draw_seconds_count',
    roundTrip: 'visavis_call_round_trip_seconds:mean',
    loss: 'visavis_call_loss_ratio:mean',
    late: 'visavis_media_late_beats_total',
  }
  return history.has(names[chart])
}

/** The lines of each chart, by their names. */
export function charts(history: History, steps: Span[]): Record<ChartName, Record<string, Series>> {
  const over = (read: (span: Span) => number | null): Series => steps.map((span) => (span.end > span.begin ? read(span) : null))
  const gauge = (name: string) => over((span) => mean(history.values(name, {}, span)))
  const highest = (name: string) => over((span) => history.values(name, {}, span).sort((a, b) => b - a)[0] ?? null)
  const slowest = (name: string) => over((span) => percentiles(history.histogram(name, {}, span))?.p95 ?? null)
  return {
    calls: { active: highest('visavis_calls_active') },
    cores: { server: over((span) => history.rate('process_cpu_seconds_total', {}, span)), children: over((span) => history.rate('visavis_child_cpu_seconds_total', {}, span)) },
    memory: { server: gauge('process_resident_memory_bytes'), children: gauge('visavis_child_resident_memory_bytes') },
    frames: { sent: over((span) => framesPerSecond(history, span)) },
    draw: { draw: slowest('visavis_frame_draw_seconds'), encode: slowest('visavis_frame_encode_seconds') },
    roundTrip: { mean: gauge('visavis_call_round_trip_seconds:mean'), worst: gauge('visavis_call_round_trip_seconds:worst') },
    loss: { mean: gauge('visavis_call_loss_ratio:mean'), worst: gauge('visavis_call_loss_ratio:worst') },
    late: { beats: over((span) => history.increase('visavis_media_late_beats_total', {}, span)) },
  }
}

function mean(values: number[]): number | null {
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null
}

export interface StepRow {
  step: Step
  recent: Percentiles | null
  total: Percentiles | null
}

export function stepRows(history: History, span: Span, question: 'spoken' | 'typed'): StepRow[] {
  return STEPS.map((step) => {
    const match = { question, step }
    const name = 'visavis_answer_step_seconds'
    return { step, recent: percentiles(history.histogram(name, match, span)), total: percentiles(history.total(name, match)) }
  })
}

/** Times of the engines, and of the work around them. */
export const TIMES = {
  transcribe: 'visavis_transcribe_seconds',
  judge: 'visavis_judge_seconds',
  token: 'visavis_first_token_seconds',
  answer: 'visavis_language_answer_seconds',
  voiceFirst: 'visavis_voice_first_seconds',
  voice: 'visavis_voice_seconds',
  knowledge: 'visavis_knowledge_seconds',
  tool: 'visavis_tool_seconds',
  ears: 'visavis_ears_packet_seconds',
  opus: 'visavis_audio_encode_seconds',
  draw: 'visavis_frame_draw_seconds',
  encode: 'visavis_frame_encode_seconds',
} as const
export type TimeName = keyof typeof TIMES

export function timeRows(history: History, span: Span) {
  return (Object.keys(TIMES) as TimeName[]).map((name) => ({
    name,
    recent: percentiles(history.histogram(TIMES[name], {}, span)),
    total: percentiles(history.total(TIMES[name])),
  }))
}

/** What tells that an engine is not well: within the span, and since the start. */
const TROUBLES = {
  hearingFailovers: 'visavis_hearing_failovers_total',
  voiceFailovers: 'visavis_voice_failovers_total',
  languageFailures: 'visavis_language_failures_total',
  languageRetries: 'visavis_language_retries_total',
  languageFailovers: 'visavis_language_failovers_total',
  languagePauses: 'visavis_language_pauses_total',
  modelRestarts: 'visavis_local_model_restarts_total',
  mediaResets: 'visavis_media_resets_total',
} as const
export type TroubleName = keyof typeof TROUBLES

export function troubleRows(history: History, span: Span) {
  return (Object.keys(TROUBLES) as TroubleName[]).map((name) => ({
    name,
    recent: counted(history, TROUBLES[name], {}, span),
    total: history.length ? (history.now(TROUBLES[name]) ?? 0) : null,
    endpoints: history.labelled(TROUBLES[name], 'endpoint').filter((endpoint) => (history.now(TROUBLES[name], { endpoint }) ?? 0) > 0),
  }))
}

/** Servers of tools and how many tools each gives; none: it is away. */
export function toolServers(history: History) {
  return history.labelled('visavis_tool_servers', 'server').map((server) => ({ server, tools: history.now('visavis_tool_servers', { server }) }))
}

export function queueRows(history: History, span: Span) {
  const queues = new Set([...history.labelled('visavis_queue_depth', 'queue'), ...history.labelled('visavis_dropped_total', 'queue')])
  return [...queues].sort().map((queue) => ({
    queue,
    depth: history.now('visavis_queue_depth', { queue }),
    capacity: history.now('visavis_queue_capacity', { queue }),
    /** Of queues of one name the fullest, 1: full. */
    fullest: history.now('visavis_queue_fullest_ratio', { queue }),
    drops: counted(history, 'visavis_dropped_total', { queue }, span) ?? 0,
    total: history.now('visavis_dropped_total', { queue }) ?? 0,
  }))
}

export interface CountRow {
  name: string
  recent: number
  total: number
}

/** A counter by the values of one label, the most of late first; what never happened is left out. */
export function countRows(history: History, name: string, label: string, span: Span): CountRow[] {
  const rows: CountRow[] = history.labelled(name, label).map((value) => {
    const match = { [label]: value }
    return { name: value, recent: history.increase(name, match, span) ?? 0, total: history.now(name, match) ?? 0 }
  })
  return rows.filter(({ total }) => total > 0).sort((a, b) => b.recent - a.recent || b.total - a.total)
}
