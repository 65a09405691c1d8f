// A media query as a ref.

import { onScopeDispose, readonly, ref } from 'vue'

export function useMedia(query: string) {
  const list = window.matchMedia(query)
  const matches = ref(list.matches)
  const change = () => (matches.value = list.matches)
  list.addEventListener('change', change)
  onScopeDispose(() => list.removeEventListener('change', change))
  return readonly(matches)
}
