import { describe, expect, it } from 'vitest'
import { partsOf, totalOf } from '../../src/monitor/measure/answers'
import { History } from '../../src/monitor/measure/history'
import { parse } from '../../src/monitor/measure/prometheus'
import { charts, countRows, foldCalls, framesPerSecond, headline, queueRows, stepRows, toolServers, troubleRows } from '../../src/monitor/measure/readings'
import { bytes, duration, percent, seconds, tenths } from '../../src/monitor/format'
import recorded from './metrics.txt?raw'


function historyOf(...texts: string[]): History {
  const history = new History()
  texts.forEach((text, index) => history.push(10_000 + 2000 * index, foldCalls(parse(text))))
  return history
}
const all = (history: History) => history.since(1e9)

describe('the readings', () => {
  it('of a real run are there, and those it does not have are null', () => {
    const history = historyOf('', recorded)
    const figures = headline(history, all(history))
    expect(figures.calls).toBe(0)
    expect(figures.answer?.count).toBe(3)
    expect(figures.answer?.p50).toBeCloseTo(0.75)
    expect(figures.silent?.count).toBe(2)
    expect([figures.lateBeats, figures.drops, figures.errors]).toEqual([0, 0, 0])
    const drawn = charts(history, [all(history)])
    expect(drawn.calls).toEqual({ active: [0] })
    expect(drawn.cores).toEqual({ server: [null], children: [null] })
    expect(drawn.roundTrip).toEqual({ mean: [null], worst: [null] })
    expect(drawn.draw.draw![0]).toBeGreaterThan(0.001)
    expect(stepRows(history, all(history), 'spoken').map(({ total }) => total?.count)).toEqual([3, 3, 3, 3, 3, 3, 3])
    expect(stepRows(history, all(history), 'typed').map(({ total }) => total?.count)).toEqual([undefined, undefined, 1, 1, 1, 1, 1])
    expect(countRows(history, 'visavis_barge_ins_total', 'outcome', all(history))).toEqual([{ name: 'ended', recent: 2, total: 2 }])
    expect(queueRows(history, all(history))).toEqual([])
    expect(troubleRows(history, all(history)).every(({ total }) => total === 0)).toBe(true)
  })

  it('of nothing are null', () => {
    const history = new History()
    expect(Object.values(headline(history, all(history))).every((value) => value === null)).toBe(true)
    expect(charts(history, history.steps(60_000, 10)).calls.active).toEqual([])
  })

  it('fold the gauges of calls, whatever their ids', () => {
    const calls = (...millis: number[]) => `# TYPE visavis_call_round_trip_seconds gauge\n${millis.map((value, index) => `visavis_call_round_trip_seconds{call="rtc_${index}"} ${value / 1000}`).join('\n')}`
    const history = historyOf(calls(40, 120), calls(60), calls())
    const { mean, worst } = charts(history, [0, 1, 2].map((row) => ({ begin: row, end: row + 1, at: 0 }))).roundTrip
    expect(mean).toEqual([0.08, 0.06, null])
    expect(worst).toEqual([0.12, 0.06, null])
    expect(history.columnCount).toBe(2)
  })

  it('count the frames that were sent, else those that were encoded', () => {
    const encoded = (count: number) => `# TYPE visavis_frame_encode_seconds histogram\nvisavis_frame_encode_seconds_count ${count}\n`
    const sent = (count: number) => `# TYPE visavis_frames_sent_total counter\nvisavis_frames_sent_total ${count}\n`
    let history = historyOf(encoded(0), encoded(50))
    expect(framesPerSecond(history, all(history))).toBe(25)
    history = historyOf(encoded(0) + sent(0), encoded(50) + sent(100))
    expect(framesPerSecond(history, all(history))).toBe(50)
  })

  it('tell queues and servers of tools', () => {
    const text = 'visavis_queue_depth{queue="voice"} 3\nvisavis_queue_capacity{queue="voice"} 64\n# TYPE visavis_dropped_total counter\nvisavis_dropped_total{queue="ears"} 2\nvisavis_tool_servers{server="files"} 0\n'
    const history = historyOf('up 1', text)
    expect(queueRows(history, all(history))).toEqual([
      { queue: 'ears', depth: null, capacity: null, fullest: null, drops: 2, total: 2 },
      { queue: 'voice', depth: 3, capacity: 64, fullest: null, drops: 0, total: 0 },
    ])
    expect(toolServers(history)).toEqual([{ server: 'files', tools: 0 }])
  })
})

describe('the steps of an answer', () => {
  it('each add what they made people wait for', () => {
    const latency = { spoken: true, committed_ms: 400, transcribed_ms: 300, first_token_ms: 350, first_clause_ms: 500, first_sound_ms: 620, first_packet_ms: null }
    expect(partsOf(latency).map(({ step, added }) => [step, added])).toEqual([
      ['committed', 400],
      ['transcribed', 0],
      ['first_token', 0],
      ['first_clause', 100],
      ['first_sound', 120],
    ])
    expect(totalOf(latency)).toBe(620)
  })
})

describe('figures', () => {
  it('are whole whether they were counted or computed', () => {
    expect([25, 25.01, 24.94, 0, null].map((value) => tenths(value))).toEqual(['25', '25', '24.9', '0', '—'])
  })

  it('are shown in the unit that fits, and as a dash if they are not known', () => {
    expect([0.0004, 0.0042, 0.42, 1.234, null, NaN].map(seconds)).toEqual(['0.40 ms', '4.2 ms', '420 ms', '1.23 s', '—', '—'])
    expect([59, 3600 + 62, 90_061, null].map(duration)).toEqual(['0:59', '1:01:02', '1 d 01:01', '—'])
    expect([590e6, 1.5e9].map(bytes)).toEqual(['590 MB', '1.50 GB'])
    expect(percent(0.0123)).toBe('1.2 %')
  })
})
