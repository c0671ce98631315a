// A mirror of models on loopback that has the small model under every name.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const file = readFileSync(join(import.meta.dirname, '../../../models/smoke/ggml-smoke-q8_0.bin'))

/**
 * `.url` for `models.base_urls` · `.size` of the model · `.hold(bytes)` – answers stop after so many bytes until the function that it
 * returns is called · `.wrong` – as many answers as this are something else of the right size · `.starts` – the first bytes asked for
 */
export async function mirror(context) {
  let most = Infinity
  let gate = Promise.resolve()
  const world = {
    size: file.length,
    starts: [],
    wrong: 0,
    hold(bytes) {
      let open
      most = bytes
      gate = new Promise((resolve) => (open = resolve))
      return () => {
        most = Infinity
        open()
      }
    },
  }
  const server = createServer(async (request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    world.starts.push(from)
    if (from >= file.length) return void response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end()
    const body = world.wrong > 0 ? Buffer.alloc(file.length, 'no model ') : file
    world.wrong -= 1
    response.writeHead(from ? 206 : 200, {
      etag: '"smoke"',
      'content-length': file.length - from,
      ...(from ? { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` } : {}),
    })
    for (let at = from; at < body.length && !response.destroyed; at += 64 * 1024) {
      if (at >= most) await gate
      if (!response.write(body.subarray(at, at + 64 * 1024))) await drained(response)
    }
    response.end()
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  world.url = `http://127.0.0.1:${server.address().port}`
  return world
}

/** Waits until more can be written, or nobody reads any more. */
const drained = (response) =>
  new Promise((resolve) => {
    const go = () => {
      response.off('drain', go)
      response.off('close', go)
      resolve()
    }
    response.on('drain', go)
    response.on('close', go)
  })
