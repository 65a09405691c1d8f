// `<visavis-avatar>`: a call with the face as one element. Attributes become settings of the call, what happens in the
// call becomes DOM events, and the view shows it.

import { ServerApi, VisavisCall, type CallState, type FatalProblem, type Hint, type SessionPatch, type Token } from '@visavis/client'
import { captionOf, type Caption } from './captions'
import css from './style.css?inline'
import { View, type Mode } from './view'
import { adviceFor, wordsFor, type Words } from './words'

/** Changed in mid-call these change the call. */
const SETTINGS = ['avatar', 'voice', 'lang', 'background', 'instructions']
/** These count for the next call. */
const CONNECTION = ['server', 'token', 'token-url', 'conversation']
const LOOKS = ['hidden', 'mode', 'name', 'theme', 'muted', 'microphone', 'captions', 'open', 'position']

/** An error of the server that nobody dismisses goes by itself. */
const ERROR_SHOWN_MILLIS = 8_000
const LEVEL_MILLIS = 60
const COUNT_MILLIS = 250

export class VisavisAvatar extends HTMLElement {
  static readonly observedAttributes = [...SETTINGS, ...CONNECTION, ...LOOKS, 'greeting']
  /** Origin and folder of the script, for elements that name no server. */
  static defaultServer = ''

  private view: View | null = null
  private client: VisavisCall | null = null
  private stops: (() => void)[] = []
  private hints: readonly Hint[] = []
  private caption: Caption | null = null
  private givenToken: Token | null = null
  private defaultAvatar: string | null = null
  private askedFor: string | null = null
  private waitUntil = 0
  private ticking: ReturnType<typeof setTimeout> | undefined
  private forgetting: ReturnType<typeof setTimeout> | undefined
  private isDrawing = false
  private isStale = false
  private transcriptKey = '[]'
  private readonly leave = () => this.hangUp()

  /** The call behind the element, for all that it does not do itself. */
  get session(): VisavisCall {
    return (this.client ??= this.makeCall())
  }

  get state(): CallState {
    return this.session.state
  }

  /** A client secret, or a function that fetches one before each connection; goes before `token-url`. */
  set token(token: Token | null) {
    this.givenToken = token
    this.renewCall()
  }

  get token(): Token | null {
    return this.givenToken
  }

  /** Begins a call. Within a click, so that the browser lets the face be heard. */
  call({ microphone = !this.typingOnly }: { microphone?: boolean } = {}): Promise<void> {
    this.setOpen(true)
    if (this.isStale) this.renewCall()
    const starting = this.session.start({ microphone })
    if (this.hasAttribute('muted')) this.session.setMuted(true)
    return starting
  }

  hangUp(): void {
    this.client?.hangUp()
  }

  /** Has the face say exactly this. */
  say(text: string): boolean {
    return this.session.say(text)
  }

  /** Sends a text as though the user had typed it. */
  send(text: string): boolean {
    return this.session.sendText(text)
  }

  interrupt(): void {
    this.session.interrupt()
  }

  mute(muted = true): void {
    this.toggleAttribute('muted', muted)
  }

  connectedCallback(): void {
    if (!this.view) {
      const root = this.attachShadow({ mode: 'open' })
      const sheet = new CSSStyleSheet()
      sheet.replaceSync(css)
      root.adoptedStyleSheets = [sheet]
      this.view = new View(root, {
        call: (microphone) => void this.call({ microphone }),
        hangUp: () => this.hangUp(),
        microphone: () => this.pressMicrophone(),
        send: (text) => this.send(text),
        toggle: (open) => this.setOpen(open),
        dismiss: (kind) => this.putHint(kind, null),
      })
    }
    window.addEventListener('pagehide', this.leave)
    this.draw()
  }

  disconnectedCallback(): void {
    window.removeEventListener('pagehide', this.leave)
    this.hangUp()
    clearTimeout(this.ticking)
    this.ticking = undefined
    clearTimeout(this.forgetting)
  }

  attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    if (old === value) return
    if (name === 'muted') this.client?.setMuted(value !== null)
    if (name === 'open' && value === null) this.hangUp()
    if (CONNECTION.includes(name)) this.renewCall()
    if (name === 'greeting') this.client?.update({ greeting: value ?? undefined })
    if (SETTINGS.includes(name)) this.client?.update(this.settings())
    this.draw()
  }

  private get server(): string {
    return this.getAttribute('server') || VisavisAvatar.defaultServer || location.origin
  }

  private get mode(): Mode {
    const mode = this.getAttribute('mode')
    return mode === 'bubble' || mode === 'full' ? mode : 'inline'
  }

  private get isOpen(): boolean {
    return this.mode === 'inline' || (this.mode === 'full' ? !this.hidden : this.hasAttribute('open'))
  }

  private get typingOnly(): boolean {
    return this.getAttribute('microphone') === 'off'
  }

  private get words(): Words {
    const inherited = this.parentElement?.closest('[lang]')?.getAttribute('lang')
    return wordsFor(this.getAttribute('lang') || inherited || navigator.language)
  }

  private settings(): SessionPatch {
    const [avatar, voice, background, instructions] = ['avatar', 'voice', 'background', 'instructions'].map(
      (name) => this.getAttribute(name) || undefined,
    )
    const language = this.getAttribute('lang')?.split('-')[0]?.toLowerCase()
    const face = { type: 'video-avatar' as const, character: avatar, video: background ? { background: { color: background } } : undefined }
    return {
      instructions,
      avatar: avatar || background ? face : undefined,
      audio: { input: language ? { transcription: { language } } : undefined, output: voice ? { voice } : undefined },
    }
  }

  private makeCall(): VisavisCall {
    const url = this.getAttribute('token-url')
    const token = this.givenToken ?? this.getAttribute('token') ?? (url === null ? undefined : () => fetchToken(url))
    const session = { ...this.settings(), greeting: this.getAttribute('greeting') ?? undefined }
    const call = new VisavisCall({ server: this.server, token, conversationId: this.getAttribute('conversation') ?? undefined, session })
    this.stops = [
      call.on('state', (state) => this.onState(state)),
      call.on('stream', (stream) => this.view?.play(stream)),
      call.on('entries', () => this.onEntries()),
      call.on('hint', ({ kind, hint }) => this.putHint(kind, hint)),
      call.on('token', (token) => this.tell('token', token)),
      call.on('word', (word) => this.tell('word', word)),
      call.on('latency', (latency) => this.tell('latency', latency)),
    ]
    return call
  }

  /** The server or what it asks for has changed: a running call goes on, the next one is made anew. */
  private renewCall(): void {
    this.isStale = true
    if (!this.client || this.client.isLive) return
    this.isStale = false
    for (const stop of this.stops) stop()
    this.client = null
  }

  private onState(state: CallState): void {
    if (state.phase === 'connecting' && state.asking) this.hints = []
    this.tell('state', state)
    if (state.phase === 'ended') this.onEnd(state.problem)
    else if (this.hasAttribute('muted') && state.microphone === 'on') this.session.setMuted(true)
    this.draw()
    this.tick()
  }

  private onEnd(problem: FatalProblem | null): void {
    this.hints = []
    this.caption = null
    this.waitUntil = problem && 'retryAfterSeconds' in problem ? performance.now() + problem.retryAfterSeconds * 1000 : 0
    if (problem && problem.kind !== 'session-ended') this.tellProblem(problem, true)
  }

  private onEntries(): void {
    const { entries } = this.session
    this.caption = captionOf(entries, this.caption)
    this.draw()
    const lines = this.session.transcript()
    const key = JSON.stringify(lines.map(({ speaker, text, interrupted }) => [speaker, text, interrupted]))
    if (key === this.transcriptKey) return
    this.transcriptKey = key
    this.tell('transcript', lines)
  }

  private putHint(kind: Hint['kind'], hint: Hint | null): void {
    const others = this.hints.filter((known) => known.kind !== kind)
    this.hints = hint ? [...others, hint] : others
    if (hint && hint.kind !== 'reconnecting') this.tellProblem(hint, false)
    if (hint?.kind === 'server-error' || hint?.kind === 'text-too-long') {
      clearTimeout(this.forgetting)
      this.forgetting = setTimeout(() => this.putHint(kind, null), ERROR_SHOWN_MILLIS)
    }
    this.draw()
  }

  private pressMicrophone(): void {
    const { microphone } = this.state
    if (microphone === 'none') void this.session.setMicrophone('')
    else this.mute(microphone === 'on')
  }

  private setOpen(open: boolean): void {
    if (this.mode === 'inline' || open === this.isOpen) return
    if (!open) this.hangUp()
    if (this.mode === 'full') this.hidden = !open
    else this.toggleAttribute('open', open)
    if (this.view) this.drawNow(this.view)
    if (open) this.view?.focusStart()
    else if (this.mode === 'bubble') this.view?.launcher.focus()
    this.tell(open ? 'open' : 'close', null)
  }

  private tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(`visavis:${name}`, { detail, bubbles: true, composed: true }))
  }

  private tellProblem(problem: FatalProblem | Hint, fatal: boolean): void {
    this.tell('error', { ...problem, fatal, ...adviceFor(this.words, problem) })
  }

  /** Counts down to the next try, and shows how loud the microphone is. */
  private tick(): void {
    const { microphone } = this.state
    const isWaiting = this.waitSeconds > 0
    if (this.ticking !== undefined || !this.isConnected || (microphone !== 'on' && !isWaiting)) return
    const next = () => {
      this.ticking = undefined
      this.view?.level(this.session.level())
      if (isWaiting) this.draw()
      this.tick()
    }
    this.ticking = setTimeout(next, isWaiting ? COUNT_MILLIS : LEVEL_MILLIS)
  }

  private get waitSeconds(): number {
    return Math.max(0, Math.ceil((this.waitUntil - performance.now()) / 1000))
  }

  /** The face's picture; without an `avatar`, of whom the server shows. */
  private get picture(): string | null {
    const id = this.getAttribute('avatar') || this.defaultAvatar
    const api = new ServerApi(this.server)
    if (id) return api.avatarPictureUrl(id)
    if (this.askedFor !== this.server) {
      this.askedFor = this.server
      // A server that wants a token for this is shown without a picture.
      const chosen = api.avatars().then((avatars) => avatars.find((avatar) => avatar.default)?.id ?? null)
      chosen.then(
        (id) => {
          this.defaultAvatar = id
          this.draw()
        },
        () => undefined,
      )
    }
    return null
  }

  /** Once for all that changes at a time. */
  private draw(): void {
    if (this.isDrawing) return
    this.isDrawing = true
    queueMicrotask(() => {
      this.isDrawing = false
      if (this.view && this.isConnected) this.drawNow(this.view)
    })
  }

  private drawNow(view: View): void {
    const { mode, isOpen } = this
    view.show({
      mode,
      open: isOpen,
      words: this.words,
      name: this.getAttribute('name') ?? '',
      host: new URL(this.server, document.baseURI).host,
      state: this.state,
      entries: this.session.entries,
      caption: this.getAttribute('captions') === 'off' ? null : this.caption,
      hints: this.hints,
      waitSeconds: this.waitSeconds,
      picture: this.picture,
      background: this.getAttribute('background'),
      typingOnly: this.typingOnly,
    })
  }
}

/** The page's own back end: a POST with the page's cookies, answered by `{"value": "ek_..."}` or the bare token. */
async function fetchToken(url: string): Promise<string> {
  const reply = await fetch(url, { method: 'POST' })
  if (!reply.ok) throw new Error(`${new URL(url, document.baseURI).pathname}: HTTP ${reply.status}`)
  const body = await reply.text()
  if (!body.trimStart().startsWith('{')) return body.trim()
  const { value } = JSON.parse(body) as { value?: unknown }
  if (typeof value !== 'string') throw new Error(`${new URL(url, document.baseURI).pathname} gave no "value"`)
  return value
}
