// `dist/embed.js`: the element for other pages, as one file that any <script> can load. Its name holds no hash, so that
// pages can name it.

import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** A script without a charset is read in that of its page, whatever it is: ASCII is the same in all. */
const ascii: Plugin = {
  name: 'ascii',
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle))
      if (file.type === 'chunk')
        file.code = file.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  },
}

export default defineConfig({
  plugins: [ascii],
  publicDir: false,
  resolve: { alias: { '@visavis/client': here('./packages/client/src/index.ts') } },
  build: {
    target: 'es2022',
    emptyOutDir: false,
    lib: { entry: here('./src/embed/index.ts'), formats: ['iife'], name: 'visavis', fileName: () => 'embed.js' },
  },
})
