// A fake of the server's side of the monitor, for work on the page and for its tests: the metrics of a real run, moved
// on by made-up calls, with events, calls and settings as docs/api.md has them. `node fake-server.mjs --port 8080 --scene busy`
// serves web/dist and the interface; `vite` takes it for its proxy.

import { createReadStream, readFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = (file) => fileURLToPath(new URL(file, import.meta.url))
const KINDS = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const STATES = ['listening', 'hearing', 'thinking', 'speaking']
const LIVE = ['llm.system_prompt', 'llm.greeting', 'llm.temperature', 'llm.max_tokens', 'llm.model', 'llm.extra_body', 'asr.language', 'asr.hints', 'tts.voice', 'tts.speed', 'vad.threshold', 'avatar.name', 'avatar.mark', 'server.max_calls', 'knowledge.passages']
const WORDS = [
  { path: 'language', words: 'Language of what the server says of its own accord.' },
  { path: 'llm.system_prompt', words: 'Who the persona is and how it talks.' },
]
const RANGES = { 'llm.temperature': [0, 2], 'tts.speed': [0.25, 1.5], 'vad.threshold': [0, 1], 'server.max_calls': [1, 1000], 'llm.max_tokens': [1, 100_000] }

/** Dice that fall the same way each time. */
function dice(seed) {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return { next, between: (low, high) => low + (high - low) * next(), one: (list) => list[Math.floor(next() * list.length)] }
}

/** The text of metrics as it was recorded, whose figures can be moved on. */
class Metrics {
  lines = []
  at = new Map()

  constructor(text) {
    for (const line of text.trimEnd().split('\n')) {
      const space = line.lastIndexOf(' ')
      if (line.startsWith('#')) this.lines.push([line])
      else this.put(line.slice(0, space), Number(line.slice(space + 1)))
    }
  }

  put(key, value) {
    const entry = [key, value]
    this.at.set(key, entry)
    this.lines.push(entry)
  }

  family(name, kind, help) {
    this.lines.push([`# HELP ${name} ${help}`], [`# TYPE ${name} ${kind}`])
  }

  set(key, value) {
    const entry = this.at.get(key)
    if (entry) entry[1] = value
    else this.put(key, value)
  }

  add(key, by = 1) {
    this.set(key, (this.at.get(key)?.[1] ?? 0) + by)
  }

  observe(name, labels, seconds) {
    const inner = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
    for (const [key, entry] of this.at) {
      if (!key.startsWith(`${name}_bucket{`) || !inner.every((label) => key.includes(label))) continue
      const bound = /le="([^"]+)"/.exec(key)[1]
      if (bound === '+Inf' || seconds <= Number(bound)) entry[1] += 1
    }
    const set = inner.length ? `{${inner.join(',')}}` : ''
    this.add(`${name}_sum${set}`, seconds)
    this.add(`${name}_count${set}`)
  }

  drop(part) {
    for (const key of [...this.at.keys()]) if (key.includes(part)) this.at.delete(key)
    this.lines = this.lines.filter(([key, value]) => value === undefined || !key.includes(part))
  }

  text() {
    return `${this.lines.map(([key, value]) => (value === undefined ? key : `${key} ${value}`)).join('\n')}\n`
  }
}

/**
 * @param {{ port?: number, scene?: 'busy' | 'empty' | 'old', key?: string }} options `busy`: people call and talk;
 *   `empty`: nobody does; `old`: a server without the interface for admins
 */
export async function startFake({ port = 0, scene = 'busy', key = 'fake-key' } = {}) {
  const random = dice(7)
  const metrics = new Metrics(readFileSync(here('./metrics.txt'), 'utf8'))
  const started = Date.now() / 1000
  let config = JSON.parse(readFileSync(here('./config.json'), 'utf8'))
  const calls = new Map()
  const streams = new Set()
  const limit = () => config.server.max_calls
  let isAway = false
  let total = 1
  let ticks = 0

  if (scene !== 'old') {
    metrics.family('process_start_time_seconds', 'gauge', 'Start time of the process since unix epoch in seconds.')
    metrics.put('process_start_time_seconds', started)
    metrics.family('process_cpu_seconds_total', 'counter', 'Total user and system CPU time spent in seconds.')
    metrics.put('process_cpu_seconds_total', 3)
    metrics.family('process_resident_memory_bytes', 'gauge', 'Resident memory size in bytes.')
    metrics.put('process_resident_memory_bytes', 590e6)
    metrics.family('visavis_child_cpu_seconds_total', 'counter', 'CPU time of the processes of a program')
    metrics.put('visavis_child_cpu_seconds_total{process="visavis-llm"}', 1)
    metrics.family('visavis_child_resident_memory_bytes', 'gauge', 'Memory that the processes of a program hold')
    metrics.put('visavis_child_resident_memory_bytes{process="visavis-llm"}', 730e6)
    metrics.family('visavis_queue_depth', 'gauge', 'What waits in a queue')
    const queues = { ears: 512, ear_events: 64, hearing: 32, end_of_turn: 32, voice: 64, session_events: 256 }
    for (const queue of Object.keys(queues)) metrics.put(`visavis_queue_depth{queue="${queue}"}`, 0)
    metrics.family('visavis_queue_capacity', 'gauge', 'What a queue holds at most')
    for (const [queue, capacity] of Object.entries(queues)) metrics.put(`visavis_queue_capacity{queue="${queue}"}`, capacity)
    metrics.family('visavis_errors_total', 'counter', 'Errors that were handled, by kind')
    metrics.family('visavis_language_retries_total', 'counter', 'Times a language model was asked again')
    metrics.family('visavis_frames_sent_total', 'counter', 'Pictures sent')
    metrics.put('visavis_frames_sent_total', 0)
    for (const name of ['round_trip_seconds', 'loss_ratio', 'jitter_seconds']) metrics.family(`visavis_call_${name}`, 'gauge', 'Of one call')
  }

  function emit(name, data) {
    for (const stream of streams) stream.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  function startCall(change = {}) {
    const id = `rtc_${Math.floor(random.next() * 2 ** 40).toString(36).padStart(8, '0')}`
    const call = {
      id,
      state: 'connecting',
      started_at: Date.now() / 1000,
      seconds: 0,
      remote: `203.0.113.${Math.floor(random.between(2, 250))}`,
      origin: random.one(['https://shop.example.org', 'https://museum.example', null]),
      user_agent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0',
      avatar: random.one(['man', 'woman', 'mascot']),
      voice: random.one(['piper-joe', 'kokoro/zf_xiaobei', 'kokoro/am_michael']),
      language: random.one(['en', 'zh']),
      answers: 0,
      interruptions: 0,
      errors: 0,
      round_trip_ms: null,
      loss: null,
      jitter_ms: null,
      frames_per_second: null,
      late_frames: 0,
      ...change,
    }
    calls.set(id, call)
    total += 1
    metrics.set('visavis_calls_active', calls.size)
    emit('call.started', { call })
    return call
  }

  function endCall(id, reason) {
    const call = calls.get(id)
    if (!call) return false
    calls.delete(id)
    metrics.drop(`call="${id}"`)
    metrics.set('visavis_calls_active', calls.size)
    metrics.add(`visavis_calls_ended_total{reason="${reason}"}`)
    emit('call.ended', { id, reason, seconds: Math.round(Date.now() / 1000 - call.started_at) })
    return true
  }

  function answer(call) {
    const spoken = random.next() < 0.8
    const slow = random.next() < 0.08 ? 2.4 : 1
    const steps = spoken ? { committed: random.between(210, 620), transcribed: random.between(250, 560) } : {}
    let at = spoken ? Math.max(steps.committed, steps.transcribed) : 0
    for (const [step, low, high] of [['first_token', 60, 260], ['first_clause', 40, 160], ['first_sound', 50, 130], ['first_packet', 4, 22], ['first_mouth', 8, 40]]) {
      at += slow * random.between(low, high)
      steps[step] = at
    }
    const latency = { spoken }
    for (const step of ['committed', 'transcribed', 'first_token', 'first_clause', 'first_sound', 'first_packet', 'first_mouth']) {
      latency[`${step}_ms`] = steps[step] === undefined ? null : Math.round(steps[step])
      if (steps[step]) metrics.observe('visavis_answer_step_seconds', { question: spoken ? 'spoken' : 'typed', step }, steps[step] / 1000)
    }
    call.answers += 1
    metrics.add('visavis_answers_total{ending="completed"}')
    metrics.observe('visavis_first_token_seconds', {}, slow * random.between(0.06, 0.3))
    metrics.observe('visavis_transcribe_seconds', {}, random.between(0.1, 0.4))
    metrics.observe('visavis_judge_seconds', {}, random.between(0.03, 0.11))
    metrics.observe('visavis_voice_seconds', {}, random.between(0.06, 0.5))
    metrics.observe('visavis_voice_first_seconds', {}, random.between(0.04, 0.14))
    emit('answer', { id: call.id, latency })
  }

  /** A second of the made-up world. */
  function tick() {
    ticks += 1
    if (scene === 'old') return
    metrics.add('visavis_child_cpu_seconds_total{process="visavis-llm"}', 0.01 + calls.size * random.between(0.02, 0.12))
    metrics.add('process_cpu_seconds_total', 0.02 + calls.size * random.between(0.14, 0.2))
    metrics.set('process_resident_memory_bytes', 590e6 + calls.size * 24e6 + 4e6 * Math.sin(ticks / 20))
    if (scene !== 'busy') return
    if (calls.size < 3 && random.next() < 0.3) startCall()
    else if (calls.size && random.next() < 0.012) endCall(random.one([...calls.keys()]), 'hung_up')
    for (const call of calls.values()) {
      call.seconds = Math.round(Date.now() / 1000 - call.started_at)
      const before = call.state
      if (random.next() < 0.35) call.state = call.state === 'connecting' ? 'listening' : STATES[(STATES.indexOf(call.state) + 1) % STATES.length]
      if (before !== call.state) {
        emit('call.changed', { id: call.id, state: call.state })
        if (call.state === 'speaking') answer(call)
      }
      call.round_trip_ms = Math.round((call.round_trip_ms ?? random.between(18, 90)) * random.between(0.9, 1.1))
      call.loss = Math.max(0, (call.loss ?? 0.004) + random.between(-0.002, 0.002))
      call.jitter_ms = Math.round(random.between(2, 9))
      call.frames_per_second = 25 + random.between(-0.3, 0.3)
      metrics.set(`visavis_call_round_trip_seconds{call="${call.id}"}`, call.round_trip_ms / 1000)
      metrics.set(`visavis_call_loss_ratio{call="${call.id}"}`, call.loss)
      metrics.set(`visavis_call_jitter_seconds{call="${call.id}"}`, call.jitter_ms / 1000)
      metrics.add('visavis_frames_sent_total', 25)
      for (let frame = 0; frame < 25; frame++) {
        metrics.observe('visavis_frame_draw_seconds', {}, random.between(0.0012, 0.0048))
        metrics.observe('visavis_frame_encode_seconds', {}, random.between(0.0004, 0.0021))
      }
      if (call.state === 'speaking' && random.next() < 0.06) {
        const outcome = random.next() < 0.7 ? 'ended' : 'resumed'
        const silent = random.between(0.07, 0.19)
        metrics.add(`visavis_barge_ins_total{outcome="${outcome}"}`)
        metrics.observe('visavis_barge_in_silent_seconds', {}, silent)
        if (outcome === 'ended') call.interruptions += 1
        emit('barge_in', { id: call.id, outcome, silent_ms: Math.round(silent * 1000) })
      }
    }
    metrics.set('visavis_queue_depth{queue="voice"}', Math.floor(random.between(0, 6)))
    metrics.set('visavis_queue_depth{queue="ears"}', Math.floor(random.between(0, 30)))
    if (random.next() < 0.02) error('tool', 'the webhook "open_ticket" did not answer within 10 s: http://127.0.0.1:9000/tickets')
    if (random.next() < 0.01) {
      metrics.add('visavis_language_retries_total{endpoint="https://llm.example.org/v1"}')
      error('language_model', 'https://llm.example.org/v1 answered 429 Too Many Requests')
    }
  }

  function error(kind, message) {
    metrics.add(`visavis_errors_total{kind="${kind}"}`)
    emit('error', { kind, message })
  }

  const clock = setInterval(tick, 1000)
  const comments = setInterval(() => streams.forEach((stream) => stream.write(': still here\n\n')), 15_000)

  const json = (reply, status, body) => reply.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
  const fail = (reply, status, code, message, param = null) => json(reply, status, { error: { message, type: 'invalid_request_error', code, param } })

  function pathsOf(patch, above = '') {
    return Object.entries(patch).flatMap(([name, value]) => {
      const here = above ? `${above}.${name}` : name
      const isTable = typeof value === 'object' && value !== null && !Array.isArray(value)
      return isTable && !LIVE.includes(here) ? pathsOf(value, here) : [[here, value]]
    })
  }

  function merged(target, patch) {
    if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
    const result = { ...(typeof target === 'object' && !Array.isArray(target) ? target : {}) }
    for (const [name, value] of Object.entries(patch)) {
      if (value === null) delete result[name]
      else result[name] = merged(result[name], value)
    }
    return result
  }

  async function change(request, reply) {
    let body = ''
    for await (const chunk of request) body += chunk
    const patch = JSON.parse(body)
    for (const [at, value] of pathsOf(patch)) {
      if (!LIVE.includes(at)) return fail(reply, 400, 'not_live', `"${at}" cannot change while the server runs: change it in the file and restart.`, at)
      const [low, high] = RANGES[at] ?? []
      if (low !== undefined && !(value >= low && value <= high)) return fail(reply, 400, 'invalid_value', `"${at}" must be from ${low} to ${high}, not ${value}.`, at)
    }
    config = merged(config, patch)
    emit('config', { changed: pathsOf(patch).map(([at]) => at) })
    return json(reply, 200, { config, live: LIVE, words: WORDS })
  }

  const server = createServer(async (request, reply) => {
    const { pathname } = new URL(request.url, 'http://fake')
    if (isAway) return request.socket.destroy()
    if (pathname === '/readyz') return reply.writeHead(200).end()
    if (pathname === '/metrics') return reply.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4' }).end(metrics.text())
    if (pathname === '/api/status') {
      const engines = { asr: 'whisper-tiny-en', llm: 'qwen-0.5b', tts: 'piper-joe' }
      return json(reply, 200, { version: '0.1.0', uptime_seconds: Math.floor(Date.now() / 1000 - started), calls: { active: calls.size, limit: limit(), total }, engines })
    }
    if (pathname.startsWith('/api/') && scene !== 'old') {
      if (request.headers.authorization !== `Bearer ${key}`) return fail(reply, 401, 'invalid_admin_key', 'This is not the admin key.')
      if (pathname === '/api/events') {
        reply.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
        reply.write(`event: hello\ndata: ${JSON.stringify({ version: '0.1.0', now: Date.now() / 1000 })}\n\n`)
        streams.add(reply)
        return reply.on('close', () => streams.delete(reply))
      }
      if (pathname === '/api/calls') return json(reply, 200, { object: 'list', data: [...calls.values()] })
      if (pathname.startsWith('/api/calls/') && request.method === 'DELETE') {
        return endCall(pathname.slice('/api/calls/'.length), 'admin') ? reply.writeHead(204).end() : fail(reply, 404, 'call_not_found', 'There is no such call.')
      }
      if (pathname === '/api/config' && request.method === 'PATCH') return change(request, reply)
      if (pathname === '/api/config') return json(reply, 200, { config, live: LIVE, words: WORDS })
    }
    const name = { '/': 'index.html', '/monitor': 'monitor.html' }[pathname] ?? pathname.slice(1)
    const file = createReadStream(path.join(here('../../dist'), path.normalize(`/${name}`)))
    file.on('error', () => reply.writeHead(404).end('There is nothing here.'))
    file.on('open', () => {
      reply.writeHead(200, { 'Content-Type': KINDS[path.extname(name)] ?? 'application/octet-stream' })
      file.pipe(reply)
    })
  })
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))

  return {
    url: `http://127.0.0.1:${server.address().port}`,
    key,
    metrics,
    calls,
    emit,
    error,
    tick,
    startCall,
    endCall,
    config: () => config,
    /** Answers nobody, as a server that is gone. */
    setAway(away) {
      isAway = away
      if (away) for (const stream of streams) stream.destroy()
    },
    async stop() {
      clearInterval(clock)
      clearInterval(comments)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** `fetch` over node's own client, for tests in a pretended browser whose fetch goes by the rules of one. */
export function nodeFetch(url, { method = 'GET', headers, body, signal } = {}) {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(String(url), { method, headers, agent: false }, (reply) => {
      const stream = new ReadableStream({
        start(controller) {
          reply.on('data', (chunk) => controller.enqueue(new Uint8Array(chunk)))
          reply.on('end', () => controller.close())
          reply.on('error', (error) => controller.error(error))
        },
      })
      resolve(new Response(reply.statusCode === 204 ? null : stream, { status: reply.statusCode, headers: reply.headers }))
    })
    sent.on('error', reject)
    signal?.addEventListener('abort', () => sent.destroy(new Error('aborted')))
    sent.end(body)
  })
}

if (process.argv[1] === here('./fake-server.mjs')) {
  const option = (name, otherwise) => process.argv[process.argv.indexOf(`--${name}`) + 1] || otherwise
  const has = (name) => process.argv.includes(`--${name}`)
  const fake = await startFake({ port: has('port') ? Number(option('port')) : 8080, scene: has('scene') ? option('scene') : 'busy' })
  process.stdout.write(`monitor: ${fake.url}/monitor#${fake.key}\n`)
}
