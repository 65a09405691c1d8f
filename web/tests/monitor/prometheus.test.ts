import { describe, expect, it } from 'vitest'
import { FormatError, parse } from '../../src/monitor/measure/prometheus'
import recorded from './metrics.txt?raw'


describe('the text of metrics', () => {
  it('of a real run is read whole', () => {
    const scrape = parse(recorded)
    const lines = recorded.split('\n').filter((line) => line && !line.startsWith('#'))
    expect([...scrape.values()].flatMap(({ samples }) => samples)).toHaveLength(lines.length)
    expect([...scrape.values()].filter(({ kind }) => kind === 'untyped')).toEqual([])
    expect(scrape.get('visavis_calls_active')).toMatchObject({ kind: 'gauge', help: 'Calls that are up now' })
    const steps = scrape.get('visavis_answer_step_seconds')!
    expect(steps.kind).toBe('histogram')
    expect(steps.samples[0]).toEqual({ name: 'visavis_answer_step_seconds_bucket', labels: { question: 'spoken', step: 'committed', le: '0.05' }, value: 0 })
  })

  it('keeps what is escaped, whatever stands in a label', () => {
    const [sample] = parse('m{a="quote \\" back \\\\ line\\n, } {=",b="",} 1').get('m')!.samples
    expect(sample!.labels).toEqual({ a: 'quote " back \\ line\n, } {=', b: '' })
  })

  it('takes every number and a time behind it', () => {
    const values = parse('m 1\nm -2.5e-3\nm +Inf\nm -Inf\nm NaN\nm .5 1395066363000\nm 7.\t-3').get('m')!.samples.map(({ value }) => value)
    expect(values).toEqual([1, -0.0025, Infinity, -Infinity, NaN, 0.5, 7])
  })

  it('takes blanks, comments and Windows line ends as they come', () => {
    const scrape = parse('# HELP m What \\\\ it\\nis\r\n# TYPE m counter\r\n#just words\r\n\r\n m { a = "1" , b="2" }  3 \r\n')
    expect(scrape.get('m')).toEqual({ name: 'm', kind: 'counter', help: 'What \\ it\nis', samples: [{ name: 'm', labels: { a: '1', b: '2' }, value: 3 }] })
  })

  it('takes only its own suffixes into a family', () => {
    const scrape = parse('# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_sum 2\nh_count 1\nh_other 3')
    expect(scrape.get('h')!.samples).toHaveLength(3)
    expect(scrape.get('h_other')!.kind).toBe('untyped')
  })

  it.each(['m', 'm one', 'm{a=1} 1', 'm{a="1} 1', 'm{a="\\x"} 1', 'm{a="1" b="2"} 1', 'm{="1"} 1', '1m 1', 'm 1 2 3', 'm 0x10', '<!doctype html>', '# TYPE m thing'])('refuses %s, and says in which line', (line) => {
    expect(() => parse(`good 1\n${line}\n`)).toThrow(FormatError)
    expect(() => parse(`good 1\n${line}\n`)).toThrow(/^line 2: /)
  })
})
