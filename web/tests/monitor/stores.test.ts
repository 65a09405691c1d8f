import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { useAdmin } from '../../src/monitor/stores/admin'
import { MOST, useLive, type Call } from '../../src/monitor/stores/live'
import { useMetrics } from '../../src/monitor/stores/metrics'
import { useSettings } from '../../src/monitor/stores/settings'
import { nodeFetch, startFake, type Fake } from './fake-server.mjs'

let fake: Fake

/** The page's own address: that of the fake. Requests go there by node's fetch, not the pretended browser's. */
beforeEach(async () => {
  fake = await startFake({ scene: 'empty' })
  setActivePinia(createPinia())
  vi.stubGlobal('fetch', nodeFetch)
  Object.defineProperty(document, 'baseURI', { value: `${fake.url}/monitor`, configurable: true })
  sessionStorage.clear()
  history.replaceState(null, '', '/monitor')
})

afterEach(async () => {
  useLive().disconnect()
  useMetrics().stop()
  vi.unstubAllGlobals()
  await fake.stop()
})

async function grant(key = fake.key) {
  useAdmin().set(key)
  useLive().connect()
  await vi.waitFor(() => expect(useAdmin().access).not.toBe('asking'))
}

describe('the key', () => {
  it('is taken out of the address and kept for this tab', () => {
    history.replaceState(null, '', '/monitor?view=settings#se%2Fcret%')
    const admin = useAdmin()
    admin.take()
    expect(admin.key).toBe('se%2Fcret%')
    expect(location.hash).toBe('')
    expect(location.search).toBe('?view=settings')
    setActivePinia(createPinia())
    useAdmin().take()
    expect(useAdmin().headers()).toEqual({ Authorization: 'Bearer se%2Fcret%' })
  })

  it.each(['wrong', 'ключ', 'two words'])('that is no good (%s) is said to be so, and forgotten', async (key) => {
    await grant(key)
    expect(useAdmin().access).toBe('refused')
    expect(sessionStorage.length).toBe(0)
    expect(useLive().calls).toEqual([])
  })

  it('is of no use to a server without an interface for admins', async () => {
    await fake.stop()
    fake = await startFake({ scene: 'old' })
    Object.defineProperty(document, 'baseURI', { value: `${fake.url}/monitor`, configurable: true })
    await grant()
    expect(useAdmin().access).toBe('absent')
  })
})

describe('the metrics', () => {
  it('are kept while the server is away, and go on when it is back', async () => {
    const metrics = useMetrics()
    await metrics.poll()
    expect(metrics.phase).toBe('live')
    expect(metrics.status?.calls.limit).toBe(4)
    expect(metrics.headline.calls).toBe(0)
    fake.setAway(true)
    await metrics.poll()
    expect(metrics.phase).toBe('away')
    expect(metrics.headline.calls).toBe(0)
    fake.startCall()
    fake.setAway(false)
    await metrics.poll()
    expect(metrics.phase).toBe('live')
    expect(metrics.headline.calls).toBe(1)
  })

  it('that cannot be read are said to be so', async () => {
    fake.metrics.lines.push(['<html>'])
    await useMetrics().poll()
    expect(useMetrics().phase).toBe('away')
    expect(useMetrics().problem).toMatch(/^line \d+: /)
  })
})

describe('the calls', () => {
  it('come, change and go by events', async () => {
    const before = fake.startCall()
    await grant()
    const live = useLive()
    await vi.waitFor(() => expect(live.calls.map(({ id }) => id)).toEqual([before.id]))
    const later = fake.startCall({ started_at: before.started_at + 10 })
    await vi.waitFor(() => expect(live.calls).toHaveLength(2))
    fake.emit('call.changed', { id: later.id, state: 'speaking' })
    fake.emit('answer', { id: later.id, latency: { spoken: true, committed_ms: 300 } })
    await vi.waitFor(() => expect(live.calls[1]).toMatchObject({ state: 'speaking', answers: 1 }))
    fake.endCall(before.id, 'hung_up')
    await vi.waitFor(() => expect(live.calls.map(({ id }) => id)).toEqual([later.id]))
    expect(live.happenings.map(({ kind }) => kind)).toEqual(['ended', 'started'])
  })

  it('end when an admin ends them, and one that is over is no error', async () => {
    const { id } = fake.startCall()
    await grant()
    const live = useLive()
    await vi.waitFor(() => expect(live.calls).toHaveLength(1))
    await live.end(id)
    await vi.waitFor(() => expect(live.calls).toEqual([]))
    expect(fake.calls.size).toBe(0)
    await live.end(id)
    fake.setAway(true)
    await expect(live.end(id)).rejects.toThrow()
    expect(live.ending.size).toBe(0)
  })

  it('are followed again after the stream was lost', async () => {
    await grant()
    const live = useLive()
    fake.setAway(true)
    await vi.waitFor(() => expect(live.stream).toBe('waiting'))
    fake.startCall()
    fake.setAway(false)
    live.retryNow()
    await vi.waitFor(() => expect(live.calls).toHaveLength(1))
    expect(live.stream).toBe('open')
  })

  it('leave no more behind than there is room for, and nonsense does no harm', () => {
    const live = useLive()
    for (let index = 0; index < 500; index++) {
      live.take({ name: 'answer', data: '{"id":"x","latency":{"spoken":true}}' })
      live.take({ name: 'error', data: `{"kind":"k","message":"${index}"}` })
      live.take({ name: 'call.started', data: JSON.stringify({ call: { id: 'x' } as Call }) })
    }
    expect([live.answers.length, live.errors.length, live.happenings.length]).toEqual([MOST.answers, MOST.errors, MOST.happenings])
    expect(live.errors[0]!.message).toBe('499')
    for (const data of ['', '{', 'null', '[]', '7', '{"id":{}}']) for (const name of ['answer', 'call.changed', 'call.started', 'other']) live.take({ name, data })
  })
})

describe('the settings', () => {
  async function loaded() {
    await grant()
    const settings = useSettings()
    await settings.load()
    const change = (path: string, text: string) => settings.edit(settings.fields.find((field) => field.path === path)!, text)
    const llm = () => fake.config().llm as Record<string, unknown>
    return { settings, change, llm }
  }

  it('are changed together, and taken back together', async () => {
    const { settings, change, llm } = await loaded()
    const prompt = llm().system_prompt
    change('llm.temperature', '1.5')
    change('llm.system_prompt', 'Be brief.\nBe kind.')
    change('asr.hints', 'Ada\nGrace')
    await settings.save()
    expect(llm()).toMatchObject({ temperature: 1.5, system_prompt: 'Be brief.\nBe kind.' })
    expect(fake.config().asr.hints).toEqual(['Ada', 'Grace'])
    expect([settings.edits.size, settings.problem]).toEqual([0, ''])
    await settings.undo()
    expect(llm()).toMatchObject({ temperature: 0.3, system_prompt: prompt })
    expect(fake.config().asr.hints).toEqual([])
    expect(settings.undoPatch).toBeNull()
  })

  it('that the server refuses are all as they were, with its words at the field', async () => {
    const { settings, change, llm } = await loaded()
    change('llm.temperature', '9')
    change('llm.system_prompt', 'Be brief.')
    await settings.save()
    expect([...settings.refusals]).toEqual([['llm.temperature', '"llm.temperature" must be from 0 to 2, not 9.']])
    expect(llm().temperature).toBe(0.3)
    expect(settings.edits.size).toBe(2)
    change('llm.temperature', '1')
    expect(settings.refusals.size).toBe(0)
    await settings.save()
    expect(llm()).toMatchObject({ temperature: 1, system_prompt: 'Be brief.' })
  })

  it('that are no number are not sent', async () => {
    const { settings, change, llm } = await loaded()
    change('llm.temperature', 'warm')
    expect([...settings.faults]).toEqual([['llm.temperature', 'number']])
    await settings.save()
    expect(llm().temperature).toBe(0.3)
    change('llm.temperature', '0.3')
    expect(settings.edits.size).toBe(0)
  })

  it('that nobody is there to take stay on the page', async () => {
    const { settings, change } = await loaded()
    change('llm.temperature', '1')
    fake.setAway(true)
    await settings.save()
    expect([settings.problem, settings.edits.size]).toEqual(['unreachable', 1])
  })
})
