import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

// Every address in the page is relative: the daemon says by <base href> where the page stands, also behind a proxy that strips a
// prefix. Nothing is inlined, because the policy allows no script and no style inside the page.
export default defineConfig({
  base: './',
  plugins: [svelte()],
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es' },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
} as import('vite').UserConfig & { test: object })
