// The world outside trawl: pages with clips, and a receiver of callbacks.

import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import { basename, join } from 'node:path'

const samples = join(import.meta.dirname, '../../../models/smoke/samples')
const kinds = { flac: 'audio/flac', wav: 'audio/wav', mp4: 'video/mp4' }

/**
 * `.page(name, { title, clip })` – the address of a page with that title whose clip is one of models/smoke/samples, or any file · `.hook` – an
 * address that takes callbacks, `.answer` is the status that it gives, `.received` what came · `.gate()` – clips wait until the
 * function that it returns is called
 */
export async function site() {
  const pages = new Map()
  const files = new Map()
  let gate = Promise.resolve()
  const world = {
    received: [],
    answer: 204,
    page(name, { title = 'A short remark about music', clip = 'en-known-04.flac' } = {}) {
      pages.set(name, { title, clip: basename(clip) })
      files.set(basename(clip), join(clip.includes('/') ? '' : samples, clip))
      return `${world.url}/${encodeURIComponent(name)}.html`
    },
    gate() {
      let open
      gate = new Promise((resolve) => (open = resolve))
      return open
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://x').pathname.slice(1))
    if (request.method === 'POST') {
      let body = ''
      for await (const part of request) body += part
      world.received.push({ headers: request.headers, body })
      response.writeHead(world.answer).end()
      return
    }
    const page = pages.get(path.replace(/\.html$/, ''))
    const escaped = (text) => text.replace(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`)
    if (page && path.endsWith('.html')) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      response.end(`<!doctype html><title>${escaped(page.title)}</title><h1>${escaped(page.title)}</h1><audio controls src="${page.clip}"></audio>`)
    } else if (/^[\w-]+\.(flac|wav|mp4)$/.test(path)) {
      await gate
      response.writeHead(200, { 'content-type': kinds[path.split('.').pop()] })
      createReadStream(files.get(path) ?? join(samples, path)).on('error', () => response.destroy()).pipe(response)
    } else response.writeHead(404).end()
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  world.url = `http://127.0.0.1:${server.address().port}`
  world.hook = `${world.url}/hook`
  return world
}
