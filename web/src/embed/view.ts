// What the element looks like: one tree in its shadow root, built once and changed by `show`. It decides nothing; what
// is pressed is told to `actions`. Texts are set as text, never as markup.

import { MAX_TEXT_LENGTH, type CallState, type Entry, type Hint, type Phase } from '@visavis/client'
import type { Caption } from './captions'
import { icon, type Icon } from './icons'
import { adviceFor, type Words } from './words'

export type Mode = 'inline' | 'bubble' | 'full'

export interface Actions {
  call(microphone: boolean): void
  hangUp(): void
  /** Mute, unmute, or bring a microphone into the call. */
  microphone(): void
  /** False: not sent, the text stays. */
  send(text: string): boolean
  toggle(open: boolean): void
  dismiss(kind: Hint['kind']): void
}

/** All that is to be seen, at one moment. */
export interface Sight {
  mode: Mode
  open: boolean
  words: Words
  name: string
  host: string
  state: CallState
  entries: readonly Entry[]
  caption: Caption | null
  hints: readonly Hint[]
  /** Seconds until a full server may be asked again. */
  waitSeconds: number
  picture: string | null
  /** Colour behind the face, if the page asked for one. */
  background: string | null
  /** The page wants no microphone at all. */
  typingOnly: boolean
}

type Child = Node | string
type Attributes = Record<string, string>

function h<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

function button(part: string, name: Icon | null, pressed: () => void): HTMLButtonElement {
  const made = h('button', { type: 'button', part: `button ${part}`, class: part }, ...(name ? [icon(name)] : []))
  made.addEventListener('click', pressed)
  return made
}

function text(element: HTMLElement, value: string): void {
  if (element.textContent !== value) element.textContent = value
}

function label(element: HTMLElement, value: string): void {
  element.setAttribute('aria-label', value)
  element.title = value
}

export class View {
  readonly video = h('video', { part: 'video', autoplay: '', playsinline: '', disablepictureinpicture: '' })
  /** In the mode `full` it lies over the page and holds the keyboard. */
  readonly cover = h('dialog', { class: 'cover' })
  private readonly panel: HTMLElement
  readonly launcher: HTMLButtonElement
  private readonly root = h('div', { class: 'root' })
  private readonly backdrop = h('div', { class: 'backdrop' })
  private readonly picture = h('img', { class: 'picture', part: 'poster', alt: '', decoding: 'async' })
  private readonly launcherPicture = h('img', { alt: '', decoding: 'async' })
  private readonly status = h('span')
  private readonly mark = h('abbr', { part: 'mark', class: 'mark' })
  private readonly closing: HTMLButtonElement
  private readonly sound: HTMLButtonElement
  private readonly asking = h('p', { part: 'asking', class: 'asking', role: 'status' })
  private readonly caption = h('p', { part: 'captions', class: 'captions', dir: 'auto', 'aria-hidden': 'true' })
  private readonly log = h('div', { part: 'log', class: 'log', role: 'log', 'aria-live': 'polite', tabindex: '-1' })
  private readonly notices = h('div', { part: 'notices', class: 'notices', 'aria-live': 'polite' })
  private readonly sign = h('span', { class: 'sign' }, icon('alert'))
  private readonly title = h('h2', { part: 'title' })
  private readonly advice = h('p', { part: 'advice', class: 'advice' })
  private readonly why = h('p', { part: 'privacy', class: 'why' })
  private readonly startLabel = h('span')
  private readonly startButton: HTMLButtonElement
  private readonly typeButton: HTMLButtonElement
  private readonly card: HTMLElement
  private readonly micButton: HTMLButtonElement
  private readonly field = h('textarea', { part: 'field', rows: '1', enterkeyhint: 'send', autocomplete: 'off', 'aria-describedby': 'too-long' })
  private readonly tooLong = h('p', { id: 'too-long', class: 'too-long', role: 'alert' })
  private readonly sendButton = h('button', { type: 'submit', part: 'button send', class: 'send' }, icon('send'))
  private readonly endButton: HTMLButtonElement
  private readonly dock: HTMLFormElement
  private sight: Sight | null = null
  private isSilenced = false

  constructor(
    private readonly shadow: ShadowRoot,
    private readonly actions: Actions,
  ) {
    const startSlot = h('slot', { name: 'start' })
    startSlot.addEventListener('click', (event) => {
      // A start of the page's own; the buttons inside tell for themselves.
      if (event.target !== startSlot && startSlot.assignedNodes().length > 0) this.start(true)
    })
    this.startButton = button('start', 'call', () => this.start(true))
    this.startButton.append(this.startLabel)
    this.typeButton = button('type', null, () => this.start(false))
    this.closing = button('close', 'close', () => actions.toggle(false))
    this.sound = button('sound', 'sound', () => this.play())
    this.sound.append(h('span'))
    this.micButton = button('microphone', null, () => actions.microphone())
    this.micButton.append(icon('microphone'), icon('microphoneOff'))
    this.endButton = button('hang-up', 'hangUp', () => actions.hangUp())
    startSlot.append(this.startButton)

    this.card = h('div', { part: 'card', class: 'card' }, h('div', { class: 'words' }, this.sign, this.title, this.advice), startSlot, this.typeButton, this.why)
    this.dock = h('form', { part: 'dock', class: 'dock' }, this.tooLong, h('div', { class: 'row' }, this.micButton, h('div', { part: 'input', class: 'input' }, this.field, this.sendButton), this.endButton))
    const poster = h('slot', { name: 'poster' }, h('span', { class: 'silhouette' }, icon('face')), this.picture)
    const top = h('div', { class: 'top' }, h('p', { part: 'state', class: 'state', role: 'status' }, h('i'), this.status), this.mark, this.closing)
    const stage = h('div', { part: 'stage', class: 'stage' }, this.backdrop, poster, this.video, h('div', { class: 'scrim' }), top, this.asking, this.notices, this.caption, this.sound)
    this.panel = h('section', { part: 'panel', class: 'panel' }, h('div', { class: 'frame' }, stage, this.card, this.log, this.dock))
    this.launcher = button('launcher', null, () => actions.toggle(!this.sight?.open))
    this.launcher.append(
      h('slot', { name: 'launcher' }, h('span', { class: 'silhouette' }, icon('face')), this.launcherPicture),
      h('span', { class: 'badge' }, icon('close')),
    )
    this.root.append(this.panel, this.cover, this.launcher)
    shadow.append(this.root)
    this.listen()
  }

  show(sight: Sight): void {
    const before = this.sight
    this.sight = sight
    const focused = this.shadow.activeElement
    const { words, state, mode, open } = sight
    const isLive = state.phase !== 'idle' && state.phase !== 'ended'
    const isConnected = isLive && state.phase !== 'connecting' && state.phase !== 'reconnecting'
    Object.assign(this.root.dataset, { mode, open: String(open), phase: state.phase, hearing: String(state.hearing), live: String(isLive) })
    if (before?.words !== words) this.localize(words)
    this.showPictures(sight)
    this.place(mode, open)
    for (const element of [this.panel, this.cover]) element.setAttribute('aria-label', words.label(sight.name))
    label(this.launcher, open ? (isLive ? words.closeAndHangUp : words.close) : words.label(sight.name))
    this.launcher.setAttribute('aria-expanded', String(open))
    label(this.closing, isLive ? words.closeAndHangUp : words.close)
    text(this.status, state.hearing && state.phase === 'listening' ? words.hearing : words.phase[state.phase])
    this.mark.hidden = !state.artificial
    this.asking.hidden = !state.asking
    this.sound.hidden = !this.isSilenced || !isLive
    this.card.hidden = isLive
    this.dock.hidden = !isLive
    if (!isLive) this.showCard(sight)
    this.showCaption(isLive ? sight.caption : null)
    this.showNotices(sight)
    this.showLog(sight)
    this.showMicrophone(sight)
    label(this.endButton, isConnected ? words.hangUp : words.cancel)
    this.field.disabled = !isConnected
    this.showLength()
    this.moveFocus(focused, isConnected && before !== null && !CONNECTED.includes(before.state.phase))
  }

  /** Plays the stream that the call fills; within a click, the browser lets it sound. */
  play(stream?: MediaStream): void {
    if (stream) this.video.srcObject = stream
    this.video.play().then(
      () => this.silenced(false),
      (error: unknown) => this.silenced((error as DOMException).name === 'NotAllowedError'),
    )
  }

  /** Loudness of the microphone, 0 to 1. */
  level(value: number): void {
    this.micButton.style.setProperty('--level', value.toFixed(2))
  }

  focusStart(): void {
    this.startButton.focus({ preventScroll: true })
  }

  private place(mode: Mode, open: boolean): void {
    this.panel.setAttribute('role', mode === 'bubble' ? 'dialog' : 'region')
    const place = mode === 'full' ? this.cover : this.root
    if (this.panel.parentElement !== place) {
      place.prepend(this.panel)
      // A video that is moved stands still.
      if (this.video.srcObject) this.play()
    }
    if (mode === 'full' && open && !this.cover.open) {
      this.cover.showModal()
      this.focusStart()
    } else if ((mode !== 'full' || !open) && this.cover.open) this.cover.close()
  }

  private listen(): void {
    this.dock.addEventListener('submit', (event) => {
      event.preventDefault()
      this.send()
    })
    this.field.addEventListener('input', () => this.showLength())
    this.field.addEventListener('keydown', (event) => {
      // The page's own shortcuts are not for what is typed here. While a word is composed, Enter belongs to the
      // input method (Safari: key code 229).
      event.stopPropagation()
      if (event.key === 'Escape') this.panel.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }))
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return
      event.preventDefault()
      this.send()
    })
    this.panel.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.sight?.mode === 'bubble') this.actions.toggle(false)
    })
    // Escape on a dialog that covers the page.
    this.cover.addEventListener('cancel', (event) => {
      event.preventDefault()
      this.actions.toggle(false)
    })
    const seen = () => (this.root.dataset.picture = String(this.video.videoWidth > 0))
    for (const name of ['loadeddata', 'resize', 'emptied']) this.video.addEventListener(name, seen)
    for (const picture of [this.picture, this.launcherPicture])
      picture.addEventListener('error', () => picture.removeAttribute('src'))
  }

  private start(microphone: boolean): void {
    if (this.sight && this.sight.waitSeconds === 0) this.actions.call(microphone && !this.sight.typingOnly)
  }

  private send(): void {
    if (this.field.value.trim() === '' || !this.actions.send(this.field.value)) return
    this.field.value = ''
    this.showLength()
  }

  private silenced(is: boolean): void {
    this.isSilenced = is
    if (this.sight) this.show(this.sight)
  }

  private localize(words: Words): void {
    this.root.lang = words.tag
    text(this.sound.lastElementChild as HTMLElement, words.sound)
    text(this.asking, words.asking)
    text(this.mark, words.artificialShort)
    label(this.mark, words.artificial)
    this.log.setAttribute('aria-label', words.conversation)
    this.field.setAttribute('aria-label', words.message)
    this.field.placeholder = words.placeholder
    label(this.sendButton, words.send)
  }

  private showPictures({ picture: url, background, state }: Sight): void {
    if (this.root.dataset.pictureUrl !== (url ?? '')) {
      this.root.dataset.pictureUrl = url ?? ''
      for (const picture of [this.picture, this.launcherPicture]) {
        if (url) picture.src = url
        else picture.removeAttribute('src')
      }
    }
    // The colour that the page asked for is only in the video.
    const isColoured = background !== null && state.phase !== 'idle' && state.phase !== 'ended'
    this.backdrop.style.borderImageSource = url && !isColoured ? `url(${JSON.stringify(url)})` : 'none'
    this.backdrop.style.backgroundColor = isColoured ? background : ''
  }

  private showCard({ words, state, name, host, waitSeconds, typingOnly }: Sight): void {
    const { problem } = state
    const { title, advice } = problem
      ? adviceFor(words, problem)
      : state.phase === 'ended'
        ? { title: words.ended, advice: '' }
        : { title: words.label(name), advice: words.intro }
    const isFault = problem !== null && problem.kind !== 'session-ended'
    const again = isFault ? words.tryAgain : state.phase === 'ended' ? words.startAgain : words.start
    this.sign.hidden = !isFault
    text(this.title, title)
    text(this.advice, advice)
    if (problem) this.card.firstElementChild?.setAttribute('role', 'alert')
    else this.card.firstElementChild?.removeAttribute('role')
    text(this.startLabel, waitSeconds > 0 ? words.retryIn(waitSeconds) : typingOnly && again === words.start ? words.startTypingOnly : again)
    // Not `disabled`: a button that is focused must not lose its focus while it waits.
    this.startButton.setAttribute('aria-disabled', String(waitSeconds > 0))
    this.typeButton.hidden = typingOnly
    text(this.typeButton, words.startTyping)
    this.why.hidden = typingOnly || isFault
    text(this.why, words.microphoneWhy(host))
  }

  private showCaption(caption: Caption | null): void {
    this.caption.hidden = caption === null
    if (!caption) return
    this.caption.dataset.speaker = caption.speaker
    const ahead = h('span', { class: 'ahead' }, caption.after)
    const shown = [caption.before, h('mark', { part: 'word' }, caption.now), ahead]
    if (caption.now === '') this.caption.replaceChildren(caption.before)
    else this.caption.replaceChildren(...shown)
  }

  private showNotices({ hints, words }: Sight): void {
    const key = JSON.stringify([hints, words.tag])
    if (this.notices.dataset.key === key) return
    this.notices.dataset.key = key
    this.notices.replaceChildren(
      ...hints.map((hint) => {
        const { title, advice } = adviceFor(words, hint)
        const dismiss = button('dismiss', 'close', () => this.actions.dismiss(hint.kind))
        label(dismiss, words.dismiss)
        return h('div', { part: 'notice', class: 'notice', 'data-kind': hint.kind }, h('p', {}, h('strong', {}, title), ' ', advice), dismiss)
      }),
    )
  }

  /** Also for those who do not see: each turn once, when it is whole. */
  private showLog({ entries, words, name }: Sight): void {
    const whole = entries.filter(({ state }) => state !== 'open' && state !== 'unsent')
    while (this.log.children.length > whole.length) this.log.lastElementChild?.remove()
    whole.forEach((entry, index) => {
      const speaker = `${entry.speaker === 'user' ? words.you : name || words.artificialShort}: `
      const said = entry.state === 'failed' ? words.notUnderstood : entry.text
      const line = (this.log.children[index] as HTMLElement | undefined) ?? this.log.appendChild(h('p', { dir: 'auto' }))
      if (line.textContent === speaker + said) return
      Object.assign(line.dataset, { speaker: entry.speaker, state: entry.state })
      line.replaceChildren(h('span', { class: 'unseen' }, speaker), said)
      this.log.scrollTop = this.log.scrollHeight
    })
  }

  private showMicrophone({ state, words, typingOnly }: Sight): void {
    this.micButton.hidden = typingOnly
    this.micButton.dataset.microphone = state.microphone
    this.micButton.setAttribute('aria-pressed', String(state.microphone === 'on'))
    label(this.micButton, state.microphone === 'none' ? words.noMicrophone : state.microphone === 'muted' ? words.unmute : words.mute)
  }

  private showLength(): void {
    const length = this.field.value.trim().length
    const isTooLong = length > MAX_TEXT_LENGTH
    text(this.tooLong, isTooLong && this.sight ? this.sight.words.tooLong(length, MAX_TEXT_LENGTH) : '')
    this.field.setAttribute('aria-invalid', String(isTooLong))
    this.sendButton.disabled = length === 0 || isTooLong || this.field.disabled
    // As tall as its text, up to the style's limit; what is far too long need not be measured.
    this.field.style.height = 'auto'
    if (length > 0) this.field.style.height = `${this.field.scrollHeight}px`
  }

  /** The keyboard's place is never lost with what was hidden. `hasBegun`: the call has just connected. */
  private moveFocus(focused: Element | null, hasBegun: boolean): void {
    if (!focused) return
    if (this.card.contains(focused) && this.card.hidden) this.endButton.focus({ preventScroll: true })
    else if (this.dock.contains(focused) && this.dock.hidden) this.focusStart()
    // On a touch screen the focus would raise the keyboard over the face.
    if (hasBegun && focused === this.endButton && matchMedia('(pointer: fine)').matches) this.field.focus({ preventScroll: true })
  }
}

const CONNECTED: readonly Phase[] = ['listening', 'thinking', 'speaking']
