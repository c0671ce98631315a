import { svelte } from '@sveltejs/vite-plugin-svelte'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

/** Packed copies beside what is built: the daemon sends them as they are. */
const packed: Plugin = {
  name: 'packed',
  apply: 'build',
  closeBundle() {
    const folder = join(import.meta.dirname, 'dist/assets')
    for (const name of readdirSync(folder).filter((name) => /\.(js|css)$/.test(name))) {
      const file = join(folder, name)
      const plain = readFileSync(file)
      writeFileSync(`${file}.gz`, gzipSync(plain, { level: 9 }))
      writeFileSync(`${file}.br`, brotliCompressSync(plain))
    }
  },
}

// Every address in the page is relative: the daemon says by <base href> where the page stands, also behind a proxy that strips a
// prefix. Nothing is inlined, because the policy allows no script and no style inside the page.
export default defineConfig({
  base: './',
  plugins: [svelte(), packed],
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // What every page uses comes as one file and not as twenty; the words of the settings come with them.
        codeSplitting: { groups: [{ name: 'frame', test: /node_modules\/(svelte|esm-env|clsx|openapi-fetch)\/|src\/((ui|lib|shell)\/|locales\/en\/(?!settings))/ }] },
      },
    },
  },
  worker: { format: 'es' },
  test: { include: ['src/**/*.test.ts'], environment: 'node', passWithNoTests: true },
})
