// An ECharts instance in an element: made when the library is there, of the element's size, redrawn when the options
// or the theme change.

import { onBeforeUnmount, onMounted, ref, shallowRef, watchEffect, type ShallowRef } from 'vue'
import type { EChartsCoreOption, EChartsType } from 'echarts/core'
import { useView } from '../stores/view'

/** What a chart takes from the style sheet; read anew with each theme. */
export interface Palette {
  color: (name: string) => string
  font: string
}

/** @param options null while there is nothing to draw */
export function useChart(element: Readonly<ShallowRef<HTMLElement | null>>, options: (palette: Palette) => EChartsCoreOption | null) {
  const view = useView()
  const chart = shallowRef<EChartsType | null>(null)
  const failed = ref(false)
  const observer = new ResizeObserver(() => chart.value?.resize())
  let gone = false

  onMounted(async () => {
    try {
      const { init } = await import('./echarts')
      if (gone || !element.value) return
      chart.value = init(element.value)
      observer.observe(element.value)
    } catch {
      failed.value = true
    }
  })

  watchEffect(() => {
    // The style sheet follows the theme; this read makes the drawing follow too.
    void view.theme
    if (!chart.value) return
    const style = getComputedStyle(document.documentElement)
    const palette: Palette = { color: (name) => style.getPropertyValue(`--${name}`).trim(), font: style.fontFamily }
    const wanted = options(palette)
    if (wanted) chart.value.setOption({ animation: false, ...wanted }, { replaceMerge: ['series'] })
    else chart.value.clear()
  })

  onBeforeUnmount(() => {
    gone = true
    observer.disconnect()
    chart.value?.dispose()
  })
  return { failed }
}

/** How a tooltip looks, in every chart. */
export function tooltipStyle({ color, font }: Palette) {
  return {
    backgroundColor: color('panel'),
    borderColor: color('line'),
    padding: [6, 10],
    textStyle: { color: color('text'), fontFamily: font, fontSize: 12 },
    extraCssText: 'box-shadow: 0 6px 24px rgb(0 0 0 / 18%); font-variant-numeric: tabular-nums;',
    confine: true,
    transitionDuration: 0,
  }
}

/** Text of others is text, in tooltips too. */
export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
}
