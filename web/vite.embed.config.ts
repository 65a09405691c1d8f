// `dist/embed.js`: the element for other pages, as one file that any <script> can load. Its name holds no hash, so that
// pages can name it.

import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  publicDir: false,
  resolve: { alias: { '@visavis/client': here('./packages/client/src/index.ts') } },
  build: {
    target: 'es2022',
    emptyOutDir: false,
    lib: { entry: here('./src/embed/index.ts'), formats: ['iife'], name: 'visavis', fileName: () => 'embed.js' },
  },
})
