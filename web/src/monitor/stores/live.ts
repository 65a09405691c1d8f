// What only an admin sees as it happens: the calls, their answers, what went wrong. Bounded: the oldest goes first.

import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Answer, Latency } from '../measure/answers'
import { Follower, type FollowState } from '../stream/follow'
import type { ServerSentEvent } from '../stream/sse'
import { useAdmin } from './admin'
import { ApiError, request, urlOf } from './api'

export const MOST = { answers: 200, happenings: 300, errors: 200 } as const

export type CallState = 'connecting' | 'listening' | 'hearing' | 'thinking' | 'speaking'

export interface Call {
  id: string
  state: CallState
  started_at: number
  seconds: number
  remote: string | null
  origin: string | null
  user_agent: string | null
  avatar: string
  voice: string
  language: string
  answers: number
  interruptions: number
  errors: number
  round_trip_ms: number | null
  loss: number | null
  jitter_ms: number | null
  frames_per_second: number | null
  late_frames: number
}

/** One thing that happened; `detail` in the server's words. */
export interface Happening {
  key: number
  at: number
  kind: 'started' | 'ended' | 'refused' | 'barge_in' | 'config' | 'lagged'
  call: string
  detail: string
  seconds?: number
  millis?: number
}

export interface ErrorLine {
  key: number
  at: number
  kind: string
  message: string
}

interface Payload {
  id?: string
  call?: Call
  state?: CallState
  reason?: string
  seconds?: number
  latency?: Latency
  outcome?: string
  silent_ms?: number
  kind?: string
  message?: string
  changed?: string[]
  missed?: number
}

export const useLive = defineStore('live', () => {
  const admin = useAdmin()
  const stream = ref<FollowState | 'off'>('off')
  /** Why the server does not open the stream, in its words. */
  const problem = ref('')
  const byId = ref(new Map<string, Call>())
  const answers = shallowRef<Answer[]>([])
  const happenings = shallowRef<Happening[]>([])
  const errors = shallowRef<ErrorLine[]>([])
  /** The configuration was changed, here or elsewhere; moves on each time. */
  const configChanges = ref(0)
  /** Calls for which the end was asked. */
  const ending = ref(new Set<string>())
  let follower: Follower | undefined
  let keys = 0
  let asked = 0

  const calls = computed(() => [...byId.value.values()].sort((a, b) => a.started_at - b.started_at || (a.id < b.id ? -1 : 1)))

  function connect(): void {
    disconnect()
    if (!admin.key) return
    follower = new Follower({
      url: urlOf('api/events'),
      headers: admin.headers,
      onEvent: take,
      onState(state, message) {
        stream.value = state
        if (state !== 'connecting') problem.value = message
        if (state === 'refused') admin.refuse()
        if (state === 'absent') admin.access = 'absent'
        if (state === 'open') {
          admin.access = 'granted'
          void refresh()
        }
      },
    })
  }

  function disconnect(): void {
    follower?.stop()
    follower = undefined
    stream.value = 'off'
    byId.value = new Map()
    answers.value = []
    happenings.value = []
    errors.value = []
    ending.value = new Set()
  }

  /** The whole list: figures of calls come with it alone. */
  async function refresh(): Promise<void> {
    if (!admin.isAdmin) return
    const mine = ++asked
    const reply = await request('api/calls', { headers: admin.headers() }).catch(() => null)
    const list = reply && ((await reply.json().catch(() => null)) as { data?: Call[] } | null)
    // Of two lists under way the newer one counts.
    if (list?.data && mine === asked && admin.isAdmin) byId.value = new Map(list.data.map((call) => [call.id, call]))
  }

  const retryNow = () => follower?.retryNow()

  function take({ name, data }: ServerSentEvent): void {
    const payload = payloadOf(data)
    if (!payload) return
    const { id = '' } = payload
    switch (name) {
      case 'call.started': {
        if (!payload.call) return
        asked += 1
        byId.value.set(payload.call.id, payload.call)
        return note({ kind: 'started', call: payload.call.id, detail: payload.call.origin ?? payload.call.remote ?? '' })
      }
      case 'call.changed': {
        const call = byId.value.get(id)
        if (call && payload.state) call.state = payload.state
        return
      }
      case 'call.ended':
        asked += 1
        byId.value.delete(id)
        ending.value.delete(id)
        return note({ kind: 'ended', call: id, detail: payload.reason ?? '', seconds: payload.seconds ?? 0 })
      case 'call.refused':
        return note({ kind: 'refused', call: '', detail: payload.reason ?? '' })
      case 'answer': {
        const call = byId.value.get(id)
        if (call) call.answers += 1
        if (payload.latency) answers.value = [...answers.value, { at: Date.now(), call: id, latency: payload.latency }].slice(-MOST.answers)
        return
      }
      case 'barge_in': {
        const call = byId.value.get(id)
        if (call && payload.outcome === 'ended') call.interruptions += 1
        return note({ kind: 'barge_in', call: id, detail: payload.outcome ?? '', millis: payload.silent_ms ?? 0 })
      }
      case 'error': {
        const line = { key: keys++, at: Date.now(), kind: payload.kind ?? '', message: payload.message ?? '' }
        errors.value = [line, ...errors.value].slice(0, MOST.errors)
        return
      }
      case 'config':
        configChanges.value += 1
        return note({ kind: 'config', call: '', detail: (payload.changed ?? []).join(', ') })
      case 'lagged':
        void refresh()
        return note({ kind: 'lagged', call: '', detail: String(payload.missed ?? '') })
    }
  }

  function note(happening: Omit<Happening, 'key' | 'at'>): void {
    happenings.value = [{ key: keys++, at: Date.now(), ...happening }, ...happenings.value].slice(0, MOST.happenings)
  }

  /** Ends a call. One that is over already is what was wanted. Throws what the server objects to. */
  async function end(id: string): Promise<void> {
    ending.value.add(id)
    try {
      await request(`api/calls/${encodeURIComponent(id)}`, { method: 'DELETE', headers: admin.headers() })
    } catch (error) {
      ending.value.delete(id)
      if (!(error instanceof ApiError && error.code === 'call_not_found')) throw error
      void refresh()
    }
  }

  return { stream, problem, calls, answers, happenings, errors, configChanges, ending, connect, disconnect, refresh, retryNow, take, end }
})

function payloadOf(data: string): Payload | null {
  try {
    const payload: unknown = JSON.parse(data)
    return typeof payload === 'object' && payload !== null ? payload : null
  } catch {
    return null
  }
}
