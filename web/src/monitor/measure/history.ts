// The last half hour of scrapes, in columns of fixed length: of a gauge its values, of whatever only grows what it
// grew by since the scrape before. A restart of the server loses nothing: what then stands below (or behind a new
// start time) has grown from zero. Rates, sums and histograms of any span are sums over rows.

import type { Histogram } from './histogram'
import type { Family, Labels, Sample, Scrape } from './prometheus'

/** Half an hour of a scrape every 2 s. */
export const CAPACITY = 900
/** Columns beyond these are not kept: the names come from elsewhere, the memory is ours. */
const MOST_COLUMNS = 2000
const START = 'process_start_time_seconds'

/** Rows, oldest first: from `begin` up to, not including, `end`. */
export interface Span {
  begin: number
  end: number
  /** Milliseconds since 1970 at its right edge. */
  at: number
}

interface Column {
  labels: Labels
  grows: boolean
  last: number
  seen: number
  values: Float64Array
}

export class History {
  private readonly times: Float64Array
  private readonly columns = new Map<string, Map<string, Column>>()
  private pushed = 0
  private held = 0
  private width = 0
  private started: number | undefined

  constructor(private readonly capacity = CAPACITY) {
    this.times = new Float64Array(capacity)
  }

  /** Rows that are held. */
  get length(): number {
    return this.held
  }

  /** Columns that are held, of all names. */
  get columnCount(): number {
    return this.width
  }

  push(at: number, scrape: Scrape): void {
    const started = scrape.get(START)?.samples[0]?.value
    const restarted = this.started !== undefined && started !== undefined && started !== this.started
    this.started = started ?? this.started
    const row = this.pushed % this.capacity
    this.times[row] = at
    for (const columns of this.columns.values()) for (const column of columns.values()) column.values[row] = NaN
    for (const family of scrape.values()) for (const sample of family.samples) this.put(row, family, sample, restarted)
    this.pushed += 1
    this.held = Math.min(this.held + 1, this.capacity)
    this.forget()
  }

  private put(row: number, { kind }: Family, { name, labels, value }: Sample, restarted: boolean): void {
    const grows = kind === 'counter' || kind === 'histogram' || kind === 'summary' || (kind === 'untyped' && name.endsWith('_total'))
    let columns = this.columns.get(name)
    if (!columns) this.columns.set(name, (columns = new Map()))
    const key = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
    let column = columns.get(key)
    if (!column) {
      if (this.width >= MOST_COLUMNS) return
      // What is new among scrapes has grown from zero; in the very first one nobody knows since when.
      column = { labels, grows, last: this.pushed === 0 ? value : 0, seen: 0, values: new Float64Array(this.capacity).fill(NaN) }
      columns.set(key, column)
      this.width += 1
    }
    column.values[row] = grows ? (restarted || value < column.last ? value : value - column.last) : value
    column.last = value
    column.seen = this.pushed
  }

  /** Columns that no row holds any more. */
  private forget(): void {
    for (const [name, columns] of this.columns) {
      for (const [key, { seen }] of columns) if (this.pushed - seen > this.capacity && columns.delete(key)) this.width -= 1
      if (columns.size === 0) this.columns.delete(name)
    }
  }

  /** The rows of the last so many milliseconds. */
  since(millis: number): Span {
    const at = this.held ? this.time(this.held - 1) : 0
    return { begin: this.firstAfter(at - millis), end: this.held, at }
  }

  /** The last so many milliseconds in equal steps that lie still while time goes on; without scrapes a step is empty. */
  steps(millis: number, count: number): Span[] {
    if (this.held === 0) return []
    const step = millis / count
    const end = Math.ceil(this.time(this.held - 1) / step)
    const spans: Span[] = []
    let begin = this.firstAfter((end - count) * step)
    for (let index = end - count + 1; index <= end; index++) {
      let next = begin
      while (next < this.held && this.time(next) <= index * step) next += 1
      spans.push({ begin, end: next, at: index * step })
      begin = next
    }
    return spans
  }

  has(name: string): boolean {
    return this.columns.has(name)
  }

  /** The sum of the newest values; null if the last scrape has none. For what grows: its value, not its growth. */
  now(name: string, match: Labels = {}): number | null {
    const values = this.matching(name, match).filter(({ seen }) => seen === this.pushed - 1)
    return values.length ? values.reduce((sum, { last }) => sum + last, 0) : null
  }

  /** By how much it grew; null if it was never there. */
  increase(name: string, match: Labels, span: Span): number | null {
    return this.sum(this.matching(name, match), span)
  }

  /** The same each second; null too where the span has no time before it to compare with. */
  rate(name: string, match: Labels, span: Span): number | null {
    const begin = Math.max(span.begin, 1)
    if (span.end <= begin) return null
    const increase = this.increase(name, match, { ...span, begin })
    return increase === null ? null : (increase * 1000) / (this.time(span.end - 1) - this.time(begin - 1))
  }

  /** A gauge (the sum of its columns) in each row of the span that has it. */
  values(name: string, match: Labels, span: Span): number[] {
    const columns = this.matching(name, match)
    const sums: number[] = []
    for (let row = span.begin; row < span.end; row++) {
      const values = columns.map(({ values }) => values[this.place(row)]!).filter((value) => !Number.isNaN(value))
      if (values.length) sums.push(values.reduce((a, b) => a + b, 0))
    }
    return sums
  }

  /** What a histogram saw within the span, all of its matching columns together. */
  histogram(name: string, match: Labels, span: Span): Histogram | null {
    return this.gather(name, match, (columns) => this.sum(columns, span))
  }

  /** What a histogram saw since the server started. */
  total(name: string, match: Labels = {}): Histogram | null {
    const newest = (columns: Column[]) => {
      const there = columns.filter(({ seen }) => seen === this.pushed - 1)
      return there.length ? there.reduce((sum, { last }) => sum + last, 0) : null
    }
    return this.gather(name, match, newest)
  }

  /** The values of a label, sorted. */
  labelled(name: string, label: string): string[] {
    const found = this.matching(name, {}).map(({ labels }) => labels[label])
    return [...new Set(found.filter((value) => value !== undefined))].sort()
  }

  private gather(name: string, match: Labels, read: (columns: Column[]) => number | null): Histogram | null {
    const byBound = new Map<number, Column[]>()
    for (const column of this.matching(`${name}_bucket`, match)) {
      const at = bound(column.labels.le)
      byBound.set(at, [...(byBound.get(at) ?? []), column])
    }
    if (byBound.size === 0) return null
    const buckets = [...byBound].map(([bound, columns]) => ({ bound, count: read(columns) ?? 0 })).sort((a, b) => a.bound - b.bound)
    const of = (suffix: string) => read(this.matching(name + suffix, match)) ?? 0
    return { buckets, sum: of('_sum'), count: of('_count') }
  }

  private matching(name: string, match: Labels): Column[] {
    const wanted = Object.entries(match)
    const columns = [...(this.columns.get(name)?.values() ?? [])]
    return columns.filter(({ labels }) => wanted.every(([label, value]) => labels[label] === value))
  }

  private sum(columns: Column[], { begin, end }: Span): number | null {
    if (columns.length === 0) return null
    let sum = 0
    for (const { values } of columns) {
      for (let row = begin; row < end; row++) {
        const value = values[this.place(row)]!
        if (!Number.isNaN(value)) sum += value
      }
    }
    return sum
  }

  private firstAfter(time: number): number {
    let row = 0
    while (row < this.held && this.time(row) <= time) row += 1
    return row
  }

  private time(row: number): number {
    return this.times[this.place(row)]!
  }

  private place(row: number): number {
    return (this.pushed - this.held + row) % this.capacity
  }
}

function bound(le: string | undefined): number {
  return le === '+Inf' ? Infinity : Number(le)
}
