import vue from '@vitejs/plugin-vue'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
/** The call, the call in a frame of another page, and what an operator watches. */
const pages = ['index.html', 'embed.html', 'monitor.html'].map((page) => here(page)).filter((page) => existsSync(page))

export default defineConfig({
  // Relative paths: the page works at "/" and below any prefix of a reverse proxy.
  base: './',
  plugins: [vue()],
  define: { __VUE_I18N_LEGACY_API__: 'false', __VUE_I18N_FULL_INSTALL__: 'false', __INTLIFY_PROD_DEVTOOLS__: 'false' },
  resolve: { alias: { '@visavis/client': here('./packages/client/src/index.ts') } },
  build: { target: 'es2022', assetsInlineLimit: 2048, modulePreload: { polyfill: false }, rolldownOptions: { input: pages } },
  server: {
    // `npm run dev` beside a server that already runs.
    proxy: Object.fromEntries(['/v1', '/api', '/metrics'].map((path) => [path, 'http://localhost:8080'])),
  },
  test: { environment: 'happy-dom', include: ['tests/**/*.test.ts', 'packages/*/tests/**/*.test.ts'] },
})
