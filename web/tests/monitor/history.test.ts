import { describe, expect, it } from 'vitest'
import { mean, quantile } from '../../src/monitor/measure/histogram'
import { History } from '../../src/monitor/measure/history'
import { parse } from '../../src/monitor/measure/prometheus'

/** Scrapes every 2 s from 10 s on. */
function historyOf(texts: string[], capacity?: number): History {
  const history = new History(capacity)
  texts.forEach((text, index) => history.push(10_000 + 2000 * index, parse(text)))
  return history
}
const counter = (value: number, more = '') => `# TYPE c counter\nc ${value}\n${more}`
const all = (history: History) => history.since(1e9)

describe('what grows', () => {
  it('is counted from the first scrape on', () => {
    const history = historyOf([counter(100), counter(104), counter(110)])
    expect(history.increase('c', {}, all(history))).toBe(10)
    expect(history.rate('c', {}, all(history))).toBe(10 / 4)
    expect(history.rate('c', {}, history.since(2000))).toBe(6 / 2)
    expect(history.now('c')).toBe(110)
  })

  it('counts from zero when it starts anew, and when it appears', () => {
    const history = historyOf([counter(100), counter(3), counter(5, '# TYPE d counter\nd{k="x"} 2')])
    expect(history.increase('c', {}, all(history))).toBe(5)
    expect(history.increase('d', {}, all(history))).toBe(2)
    expect(history.increase('d', { k: 'y' }, all(history))).toBeNull()
  })

  it('counts from zero behind a restart, though it stands higher by then', () => {
    const start = (at: number) => `# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds ${at}\n`
    const history = historyOf([counter(5, start(1)), counter(8, start(2))])
    expect(history.increase('c', {}, all(history))).toBe(8)
  })

  it('has the rate of the whole time that nobody answered', () => {
    const history = historyOf([counter(0)])
    history.push(30_000, parse(counter(40)))
    expect(history.rate('c', {}, history.since(5000))).toBe(2)
  })

  it('has no rate of a single scrape', () => {
    expect(historyOf([counter(4)]).rate('c', {}, { begin: 0, end: 1, at: 0 })).toBeNull()
  })
})

describe('a gauge', () => {
  const gauge = (...values: number[]) => `# TYPE g gauge\n${values.map((value, index) => `g{n="${index}"} ${value}`).join('\n')}`

  it('is the sum of its columns in each row', () => {
    const history = historyOf([gauge(1, 2), gauge(3, 4), gauge(5)])
    expect(history.now('g')).toBe(5)
    expect(history.now('g', { n: '1' })).toBeNull()
    expect(history.values('g', {}, all(history))).toEqual([3, 7, 5])
    expect(history.values('g', { n: '1' }, all(history))).toEqual([2, 4])
    expect(history.values('other', {}, all(history))).toEqual([])
  })
})

describe('the span of time', () => {
  it('holds no more than it has room for', () => {
    const history = historyOf(Array.from({ length: 25 }, (_, index) => counter(index)), 10)
    expect(history.length).toBe(10)
    expect(history.increase('c', {}, all(history))).toBe(10)
  })

  it('is cut into steps that lie still while time goes on', () => {
    const history = historyOf(Array.from({ length: 9 }, (_, index) => counter(index)))
    const before = history.steps(16_000, 4)
    expect(before.map(({ at }) => at)).toEqual([16_000, 20_000, 24_000, 28_000])
    expect(before.map((span) => history.increase('c', {}, span))).toEqual([2, 2, 2, 1])
    history.push(28_000, parse(counter(9)))
    history.push(30_000, parse(counter(10)))
    expect(history.steps(16_000, 4).map((span) => [span.at, history.increase('c', {}, span)])).toEqual([
      [20_000, 2],
      [24_000, 2],
      [28_000, 2],
      [32_000, 1],
    ])
  })

  it('has empty steps where nobody answered', () => {
    const history = historyOf([counter(0)])
    history.push(30_000, parse(counter(1)))
    expect(history.steps(20_000, 5).map(({ begin, end }) => end - begin)).toEqual([0, 0, 0, 0, 1])
  })

  it('forgets columns that were not seen for its whole length', () => {
    const history = historyOf(['# TYPE g gauge\ng{call="a"} 1', ...Array.from({ length: 12 }, () => counter(1))], 10)
    expect(history.columnCount).toBe(1)
    expect(history.has('g')).toBe(false)
  })

  it('keeps a bounded number of columns, whatever names come', () => {
    const history = historyOf([Array.from({ length: 5000 }, (_, index) => `g{n="${index}"} 1`).join('\n')], 4)
    expect(history.columnCount).toBe(2000)
  })
})

describe('a histogram', () => {
  const seen = (low: number, middle: number, high: number) =>
    `# TYPE h histogram\nh_bucket{le="1"} ${low}\nh_bucket{le="2"} ${middle}\nh_bucket{le="+Inf"} ${high}\nh_sum ${high}\nh_count ${high}`

  it('shows what it saw within the span alone', () => {
    const history = historyOf([seen(5, 5, 5), seen(5, 15, 15), seen(5, 15, 16)])
    expect(history.histogram('h', {}, all(history))).toEqual({ buckets: [{ bound: 1, count: 0 }, { bound: 2, count: 10 }, { bound: Infinity, count: 11 }], sum: 11, count: 11 })
    expect(history.total('h')!.count).toBe(16)
    expect(history.histogram('other', {}, all(history))).toBeNull()
  })

  const of = (...counts: [number, number][]) => ({ buckets: counts.map(([bound, count]) => ({ bound, count })), sum: 6, count: counts.at(-1)![1] })

  it('has the quantiles that Prometheus computes', () => {
    const spread = of([0.1, 10], [0.2, 30], [0.4, 40], [Infinity, 40])
    expect(quantile(spread, 0.5)).toBeCloseTo(0.15)
    expect(quantile(spread, 0.25)).toBeCloseTo(0.1)
    expect(quantile(spread, 0.95)).toBeCloseTo(0.36)
    expect(quantile(spread, 1)).toBeCloseTo(0.4)
    expect(mean(spread)).toBe(6 / 40)
  })

  it('knows nothing beyond its last bound, and nothing of nothing', () => {
    expect(quantile(of([0.1, 1], [Infinity, 10]), 0.95)).toBe(0.1)
    expect(quantile(of([0.1, 0], [Infinity, 0]), 0.5)).toBeNull()
    expect(mean(of([Infinity, 0]))).toBeNull()
  })
})
