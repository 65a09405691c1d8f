import vue from '@vitejs/plugin-vue'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Relative paths: the page works at "/" and below any prefix of a reverse proxy.
  base: './',
  plugins: [vue()],
  resolve: { alias: { '@visavis/client': fileURLToPath(new URL('./packages/client/src/index.ts', import.meta.url)) } },
  build: { target: 'es2022', assetsInlineLimit: 2048, modulePreload: { polyfill: false } },
  server: {
    // `npm run dev` beside a server that already runs.
    proxy: { '/v1': 'http://localhost:8080', '/api': 'http://localhost:8080' },
  },
  test: { environment: 'happy-dom', include: ['tests/**/*.test.ts', 'packages/*/tests/**/*.test.ts'] },
})
