import { describe, expect, it } from 'vitest'
import { QualityMeter, THRESHOLDS, type Sample } from '../src/quality'

const sample = (atMillis: number, change: Partial<Sample> = {}): Sample => ({
  atMillis,
  roundTripMs: 20,
  jitterMs: 5,
  received: atMillis,
  lost: 0,
  bytes: atMillis * 100,
  frames: (atMillis / 1000) * 25,
  ...change,
})
const grade = (change: Partial<Sample>) => {
  const meter = new QualityMeter()
  meter.push(sample(1000))
  return meter.push(sample(2000, change))?.grade
}

describe('the quality', () => {
  it('needs two looks with some time between them', () => {
    const meter = new QualityMeter()
    expect([meter.push(sample(0)), meter.push(sample(100))]).toEqual([null, null])
    expect(meter.push(sample(1000))).toMatchObject({ grade: 'good', framesPerSecond: 25, bitsPerSecond: 800_000, lossRatio: 0 })
  })

  it.each([
    [{}, 'good'],
    [{ roundTripMs: THRESHOLDS.roundTripMs.fair + 1 }, 'fair'],
    [{ roundTripMs: THRESHOLDS.roundTripMs.poor + 1 }, 'poor'],
    [{ lost: 20 }, 'fair'],
    [{ lost: 60 }, 'poor'],
    [{ jitterMs: 31 }, 'fair'],
    [{ frames: 45 }, 'fair'],
    [{ frames: 35 }, 'poor'],
    [{ frames: null }, 'good'],
    [{ roundTripMs: null, jitterMs: null }, 'good'],
    [{ received: 1000 }, 'poor'],
  ])('with %j is %s', (change, expected) => expect(grade(change)).toBe(expected))

  it('forgets what lies more than five seconds back', () => {
    const meter = new QualityMeter()
    meter.push(sample(1000))
    meter.push(sample(2000, { lost: 500 }))
    const grades = [3, 4, 5, 6, 7, 8].map((second) => meter.push(sample(second * 1000, { lost: 500 }))?.grade)
    expect(grades).toEqual(['poor', 'poor', 'poor', 'poor', 'good', 'good'])
  })

  it('begins anew with another connection', () => {
    const meter = new QualityMeter()
    meter.push(sample(9000))
    expect(meter.push(sample(10_000, { bytes: 0, received: 0 }))).toBeNull()
  })
})
