// Keeps a scrolling element at its end while content grows, unless the user has scrolled away from it.

import { nextTick, onBeforeUnmount, onMounted, readonly, ref, watch, type Ref } from 'vue'

/** Closer than this to the end counts as being there (pixels). */
const NEAR_PIXELS = 48

export function useStickToEnd(element: Readonly<Ref<HTMLElement | null>>, content: () => unknown) {
  const isAtEnd = ref(true)
  let observer: ResizeObserver | undefined

  function toEnd() {
    isAtEnd.value = true
    element.value?.scrollTo({ top: element.value.scrollHeight })
  }

  function onScroll() {
    const box = element.value
    if (box) isAtEnd.value = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PIXELS
  }

  watch(content, async () => {
    if (!isAtEnd.value) return
    await nextTick()
    toEnd()
  })
  onMounted(() => {
    element.value?.addEventListener('scroll', onScroll, { passive: true })
    // A phone's keyboard makes the box smaller without a word of new content.
    observer = new ResizeObserver(() => isAtEnd.value && toEnd())
    if (element.value) observer.observe(element.value)
  })
  onBeforeUnmount(() => {
    element.value?.removeEventListener('scroll', onScroll)
    observer?.disconnect()
  })
  return { isAtEnd: readonly(isAtEnd), toEnd }
}
