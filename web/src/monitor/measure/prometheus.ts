// Prometheus' text format, version 0.0.4, read exactly: a line that does not fit is an error with its number.
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details

export type Labels = Readonly<Record<string, string>>
export type Kind = 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped'

export interface Sample {
  /** With `_bucket`, `_sum` or `_count` behind the name of a histogram. */
  name: string
  labels: Labels
  value: number
}

export interface Family {
  name: string
  kind: Kind
  help: string
  samples: Sample[]
}

/** Families by name, in the order of the text. */
export type Scrape = Map<string, Family>

export class FormatError extends Error {
  override name = 'FormatError'
  constructor(
    what: string,
    readonly line: number,
  ) {
    super(`line ${line}: ${what}`)
  }
}

const KINDS = new Set<string>(['counter', 'gauge', 'histogram', 'summary', 'untyped'])
const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y
const LABEL = /[a-zA-Z_][a-zA-Z0-9_]*/y
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/
const SUFFIXES: Partial<Record<Kind, string[]>> = { histogram: ['_bucket', '_sum', '_count'], summary: ['_sum', '_count'] }

export function parse(text: string): Scrape {
  const scrape: Scrape = new Map()
  let last: Family | undefined
  text.split('\n').forEach((raw, index) => {
    const line = raw.trim()
    if (line === '') return
    if (line.startsWith('#')) {
      last = comment(line, scrape, index + 1) ?? last
      return
    }
    const sample = new Cursor(line, index + 1).sample()
    const family = last && belongs(sample.name, last) ? last : (scrape.get(sample.name) ?? entry(scrape, sample.name))
    family.samples.push(sample)
  })
  return scrape
}

function belongs(name: string, { name: family, kind }: Family): boolean {
  return name === family || (SUFFIXES[kind]?.some((suffix) => name === family + suffix) ?? false)
}

function entry(scrape: Scrape, name: string): Family {
  const known = scrape.get(name)
  if (known) return known
  const family: Family = { name, kind: 'untyped', help: '', samples: [] }
  scrape.set(name, family)
  return family
}

function comment(line: string, scrape: Scrape, number: number): Family | undefined {
  const [, word, name, rest = ''] = /^#[ \t]*(HELP|TYPE)[ \t]+(\S+)(?:[ \t]+(.*))?$/.exec(line) ?? []
  if (!word || !name) return undefined
  const family = entry(scrape, name)
  if (word === 'HELP') family.help = rest.replace(/\\(\\|n)/g, (_, letter: string) => (letter === 'n' ? '\n' : '\\'))
  else if (KINDS.has(rest)) family.kind = rest as Kind
  else throw new FormatError(`"${rest}" is no type of metric`, number)
  return family
}

/** Reads one line of a sample from left to right. */
class Cursor {
  private at = 0
  constructor(
    private readonly line: string,
    private readonly number: number,
  ) {}

  sample(): Sample {
    const name = this.match(NAME, 'the name of a metric')
    this.blanks()
    const labels = this.line[this.at] === '{' ? this.labels() : {}
    const [value = '', timestamp, more] = this.line.slice(this.at).trim().split(/[ \t]+/)
    if (more !== undefined || (timestamp !== undefined && !/^-?\d+$/.test(timestamp))) this.fail('something behind the value')
    return { name, labels, value: this.value(value) }
  }

  private labels(): Labels {
    const labels: Record<string, string> = {}
    this.at += 1
    for (;;) {
      this.blanks()
      if (this.take('}')) return labels
      const name = this.match(LABEL, 'the name of a label')
      this.blanks()
      if (!this.take('=')) this.fail('no "=" behind a label')
      this.blanks()
      labels[name] = this.quoted()
      this.blanks()
      if (!this.take(',') && this.line[this.at] !== '}') this.fail('no "," between labels')
    }
  }

  private quoted(): string {
    if (!this.take('"')) this.fail('a label without quotes')
    let text = ''
    for (;;) {
      const letter = this.line[this.at++]
      if (letter === undefined) return this.fail('a label without an end')
      if (letter === '"') return text
      if (letter !== '\\') {
        text += letter
        continue
      }
      const escaped = this.line[this.at++]
      if (escaped === 'n') text += '\n'
      else if (escaped === '\\' || escaped === '"') text += escaped
      else this.fail('an unknown escape in a label')
    }
  }

  private value(text: string): number {
    if (NUMBER.test(text)) return Number(text)
    if (/^[+-]?Inf(?:inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
    if (/^NaN$/i.test(text)) return NaN
    return this.fail(`"${text}" is no value`)
  }

  private match(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.line)?.[0] ?? this.fail(`${what} is missing`)
    this.at += found.length
    return found
  }

  private take(letter: string): boolean {
    const is = this.line[this.at] === letter
    if (is) this.at += 1
    return is
  }

  private blanks(): void {
    while (this.line[this.at] === ' ' || this.line[this.at] === '\t') this.at += 1
  }

  private fail(what: string): never {
    throw new FormatError(what, this.number)
  }
}
