// `embed.js`: one script that brings `<visavis-avatar>` into any page.

import { VisavisAvatar } from './element'

const script = document.currentScript
if (script instanceof HTMLScriptElement && script.src) VisavisAvatar.defaultServer = new URL('.', script.src).href
if (!customElements.get('visavis-avatar')) customElements.define('visavis-avatar', VisavisAvatar)
