// The public metrics, asked for every 2 s, and their history. A server that is away is asked on; what is known stays.

import { defineStore } from 'pinia'
import { computed, markRaw, ref, shallowRef } from 'vue'
import { History } from '../measure/history'
import { FormatError, parse } from '../measure/prometheus'
import * as read from '../measure/readings'
import { request } from './api'
import { useView } from './view'

export const POLL_MILLIS = 2000
/** The status changes rarely: with every so many-th scrape. */
const STATUS_EVERY = 5
/** Most points of a chart; each stands for two scrapes at least, so that none is empty by chance. */
const MOST_STEPS = 150

export interface Status {
  version: string
  uptime_seconds: number
  calls: { active: number; limit: number; total: number }
  engines: Record<string, string>
  features?: string[]
}

export const useMetrics = defineStore('metrics', () => {
  const view = useView()
  const history = markRaw(new History())
  /** Moves on with every scrape: what is computed from the history looks at it. */
  const version = ref(0)
  const phase = ref<'starting' | 'live' | 'away'>('starting')
  /** Why it is away, in the words of the server or the parser; empty: it cannot be reached. */
  const problem = ref('')
  const lastAt = ref(0)
  const awaySince = ref(0)
  const status = shallowRef<Status | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  let polls = 0

  async function poll(): Promise<void> {
    clearTimeout(timer)
    const began = Date.now()
    try {
      const text = await (await request('metrics')).text()
      history.push(began, read.foldCalls(parse(text)))
      if (polls % STATUS_EVERY === 0) status.value = (await (await request('api/status')).json()) as Status
      polls += 1
      lastAt.value = began
      phase.value = 'live'
      problem.value = ''
      version.value += 1
    } catch (error) {
      if (phase.value !== 'away') awaySince.value = began
      phase.value = 'away'
      polls = 0
      problem.value = error instanceof FormatError || (error as { status?: number }).status ? (error as Error).message : ''
    }
    clearTimeout(timer)
    timer = setTimeout(() => void poll(), Math.max(POLL_MILLIS - (Date.now() - began), POLL_MILLIS / 4))
  }

  const stop = () => clearTimeout(timer)

  const look = <T>(compute: (history: History) => T) => computed(() => (void version.value, compute(history)))
  const span = computed(() => (void version.value, history.since(view.minutes * 60_000)))
  const steps = computed(() => (void version.value, history.steps(view.minutes * 60_000, Math.min(MOST_STEPS, (view.minutes * 60_000) / (2 * POLL_MILLIS)))))
  return {
    phase,
    problem,
    lastAt,
    awaySince,
    status,
    version,
    span,
    headline: look((history) => read.headline(history, span.value)),
    times: computed(() => steps.value.map(({ at }) => at)),
    charts: look((history) => read.charts(history, steps.value)),
    measured: look((history) => new Set(read.CHARTS.filter((chart) => read.isMeasured(history, chart)))),
    spokenSteps: look((history) => read.stepRows(history, span.value, 'spoken')),
    typedSteps: look((history) => read.stepRows(history, span.value, 'typed')),
    engineTimes: look((history) => read.timeRows(history, span.value)),
    troubles: look((history) => read.troubleRows(history, span.value)),
    toolServers: look(read.toolServers),
    queues: look((history) => read.queueRows(history, span.value)),
    errors: look((history) => read.countRows(history, 'visavis_errors_total', 'kind', span.value)),
    bargeIns: look((history) => read.countRows(history, 'visavis_barge_ins_total', 'outcome', span.value)),
    answers: look((history) => read.countRows(history, 'visavis_answers_total', 'ending', span.value)),
    ends: look((history) => read.countRows(history, 'visavis_calls_ended_total', 'reason', span.value)),
    refusals: look((history) => read.countRows(history, 'visavis_calls_refused_total', 'reason', span.value)),
    poll,
    stop,
  }
})
