// Seconds that run down to zero, started anew whenever the source changes.

import { onScopeDispose, readonly, ref, watch } from 'vue'

/** @param seconds where to start from; zero or less means that there is nothing to wait for */
export function useCountdown(seconds: () => number) {
  const left = ref(0)
  let timer: ReturnType<typeof setInterval> | undefined

  watch(
    seconds,
    (from) => {
      clearInterval(timer)
      // The end is kept, not the count: timers of a hidden tab run late.
      const end = Date.now() + from * 1000
      const tick = () => {
        left.value = Math.max(0, Math.ceil((end - Date.now()) / 1000))
        if (left.value === 0) clearInterval(timer)
      }
      if (from > 0) timer = setInterval(tick, 250)
      tick()
    },
    { immediate: true },
  )
  onScopeDispose(() => clearInterval(timer))
  return readonly(left)
}
