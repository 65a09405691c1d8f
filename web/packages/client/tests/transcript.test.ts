import { describe, expect, it } from 'vitest'
import { toJson, toText, toWebVtt, type TranscriptLine } from '../src/transcript'

const line = (change: Partial<TranscriptLine>): TranscriptLine => ({
  speaker: 'user',
  text: 'hi',
  startSeconds: 1,
  endSeconds: 2,
  interrupted: false,
  ...change,
})

describe('a transcript', () => {
  it('as text has a line a turn', () => {
    const lines = [line({ startSeconds: 65.4, text: 'one' }), line({ speaker: 'face', startSeconds: 3671, text: 'two', interrupted: true })]
    expect(toText(lines)).toBe('[01:05] You: one\n[01:01:11] Visavis: two …\n')
  })

  it('as JSON is what it was', () => {
    const lines = [line({ text: '"<b>"\u2028' })]
    expect(JSON.parse(toJson(lines))).toEqual(lines)
  })

  it('as WebVTT has a cue a turn, in order, with hours', () => {
    const lines = [line({ speaker: 'face', startSeconds: 3600.5, endSeconds: 3602.25, text: 'two' }), line({ text: 'one' })]
    expect(toWebVtt(lines)).toBe(
      'WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<v You>one</v>\n\n01:00:00.500 --> 01:00:02.250\n<v Visavis>two</v>\n',
    )
  })

  it('as WebVTT survives markup, arrows, blank lines and the end of a cue at its beginning', () => {
    const text = 'a < b && c --> d\r\n\r\n\n00:00.000 --> 00:01.000\u2028\0'
    const cue = toWebVtt([line({ text, startSeconds: 5, endSeconds: 5 })]).split('\n\n')
    expect(cue).toHaveLength(2)
    expect(cue[1]).toBe(
      '00:00:05.000 --> 00:00:06.000\n<v You>a &lt; b &amp;&amp; c --&gt; d\n00:00.000 --&gt; 00:01.000\n\uFFFD</v>\n',
    )
  })

  it('as WebVTT leaves out what was said in an earlier call', () => {
    expect(toWebVtt([line({ startSeconds: 0, endSeconds: 0 })])).toBe('WEBVTT\n')
  })
})
