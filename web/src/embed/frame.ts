// The page at `/embed`: the element alone, for an <iframe>. What stands in the address becomes its attributes, its
// events go to the page around it, and that page's messages become calls of its methods. Nobody else is told or heard.

import { VisavisAvatar } from './element'

/** The address's parameters that are attributes of the element. */
const ATTRIBUTES = [
  'avatar',
  'voice',
  'lang',
  'mode',
  'token',
  'token-url',
  'conversation',
  'greeting',
  'instructions',
  'background',
  'theme',
  'muted',
  'microphone',
  'captions',
  'name',
  'position',
  'open',
]
const EVENTS = ['state', 'transcript', 'token', 'word', 'latency', 'error', 'open', 'close']

VisavisAvatar.defaultServer = new URL('.', location.href).href
customElements.define('visavis-avatar', VisavisAvatar)

const parameters = new URLSearchParams(location.search)
const avatar = document.createElement('visavis-avatar') as VisavisAvatar
for (const name of ATTRIBUTES) {
  const value = parameters.get(name)
  if (value !== null) avatar.setAttribute(name, value)
}
document.documentElement.lang = parameters.get('lang') ?? navigator.language
document.body.append(avatar)

const parentOrigin = window.parent === window ? null : originOfParent()
if (parentOrigin !== null) {
  for (const name of EVENTS)
    avatar.addEventListener(`visavis:${name}`, (event) => {
      window.parent.postMessage({ type: event.type, detail: (event as CustomEvent).detail as unknown }, parentOrigin)
    })
  window.addEventListener('message', ({ source, origin, data }: MessageEvent<unknown>) => {
    if (source === window.parent && origin === parentOrigin) obey(data)
  })
  window.parent.postMessage({ type: 'visavis:ready', detail: null }, parentOrigin)
}

/** A message goes to its target origin alone, so one that the address names wrongly gets nothing. */
function originOfParent(): string | null {
  const named = location.ancestorOrigins?.[0] ?? parameters.get('origin') ?? document.referrer
  return URL.canParse(named) ? new URL(named).origin : null
}

function obey(message: unknown): void {
  const { type, text, muted, token, microphone } = Object(message) as Record<string, unknown>
  if (type === 'visavis:call') void avatar.call(typeof microphone === 'boolean' ? { microphone } : {})
  else if (type === 'visavis:hang-up') avatar.hangUp()
  else if (type === 'visavis:interrupt') avatar.interrupt()
  else if (type === 'visavis:mute') avatar.mute(muted !== false)
  else if (type === 'visavis:set-token' && typeof token === 'string') avatar.token = token
  else if (type === 'visavis:say' && typeof text === 'string') avatar.say(text)
  else if (type === 'visavis:send' && typeof text === 'string') avatar.send(text)
}
