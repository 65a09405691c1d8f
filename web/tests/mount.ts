// Mounts a component as the page does: with fresh stores and with words, of which none may be missing.

import { createPinia, setActivePinia } from 'pinia'
import { createApp, h, type Component } from 'vue'
import { i18n, show } from '../src/i18n'

i18n.global.setMissingHandler((locale, key) => {
  throw new Error(`no words for ${key} in ${locale}`)
})

const unmounts: (() => void)[] = []

/** For `afterEach`. */
export function unmountAll(): void {
  for (const unmount of unmounts.splice(0)) unmount()
}

export function mount(component: Component, props: Record<string, unknown> = {}): HTMLElement {
  show('en')
  const root = document.body.appendChild(document.createElement('div'))
  const pinia = createPinia()
  setActivePinia(pinia)
  const app = createApp({ render: () => h(component, props) }).use(pinia).use(i18n)
  app.mount(root)
  unmounts.push(() => {
    app.unmount()
    root.remove()
  })
  return root
}
