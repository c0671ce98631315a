// Signing in, tabs, and a daemon that goes away and comes back.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { browse, browser, daemon, timed, until } from './harness.mjs'

const live = (page) => page.locator('.connection.live').waitFor()
const rows = (page) => page.getByRole('list', { name: 'Tasks' }).getByRole('listitem')

test('the daemon asks who calls: a token signs in, and what was typed is still there', async (context) => {
  const trawl = await daemon(context, { settings: 'auth.mode = "on"' })
  const page = await browse(context, trawl)
  const token = await trawl.token('read', 'submit')
  await page.goto(trawl.url)
  const dialog = page.getByRole('dialog', { name: 'Sign in' })
  await dialog.getByLabel('Access token').fill('trw_wrong')
  await dialog.getByRole('button', { name: 'Sign in' }).click()
  const refused = dialog.getByRole('alert')
  await refused.getByText('Check that all of it was copied').waitFor()
  assert.ok(!(await refused.innerText()).includes('Authorization'))
  await page.axe()
  await dialog.getByLabel('Access token').fill(token)
  await page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'hidden' })
  await live(page)
  await page.getByText('Nothing here yet').waitFor()

  // The session ends while something is typed; the same request goes on after signing in again.
  await page.locator('#paste').fill(trawl.site.page('a', { title: 'Typed before the session ended' }))
  await page.context().clearCookies()
  await page.keyboard.press('Control+Enter')
  await dialog.getByLabel('Access token').fill(token)
  await page.keyboard.press('Enter')
  await rows(page).filter({ hasText: 'Typed before' }).waitFor()
  await live(page)
})

test('eight tabs share one stream, and each of them answers', async (context) => {
  const trawl = await daemon(context)
  const profile = await (await browser()).newContext({ locale: 'en-GB' })
  context.after(() => profile.close())
  const pages = []
  for (let count = 0; count < 8; count += 1) {
    const page = await browse(context, trawl, { context: profile })
    await page.goto(trawl.url)
    await live(page)
    pages.push(page)
  }
  await trawl.task(trawl.site.page('a', { title: 'For every tab' }))
  // Eight of them at once take a slow machine minutes.
  await Promise.all(pages.map((page) => rows(page).filter({ hasText: 'For every tab' }).getByText('Done in').waitFor({ timeout: 240_000 })))
})

test('without a worker to share, hidden tabs give their stream away', async (context) => {
  const trawl = await daemon(context)
  const page = await browse(context, trawl)
  await page.addInitScript(() => delete globalThis.SharedWorker)
  await page.goto(trawl.url)
  await live(page)
  await trawl.task(trawl.site.page('a', { title: 'Heard without a worker' }))
  await rows(page).filter({ hasText: 'Heard without a worker' }).waitFor()
})

test('a daemon that dies and comes back is live again within five seconds, with nothing missing and nothing twice', async (context) => {
  const trawl = await daemon(context)
  const page = await browse(context, trawl)
  await trawl.task(trawl.site.page('a', { title: 'Before' }))
  await page.goto(trawl.url)
  await live(page)
  await rows(page).filter({ hasText: 'Before' }).getByText('Done in').waitFor({ timeout: 60_000 })
  await trawl.kill()
  await page.getByText('Reconnecting… What you see').waitFor()
  await rows(page).filter({ hasText: 'Before' }).waitFor()
  // Away for longer than the first tries.
  await page.waitForFunction((since) => performance.now() - since > 4000, await page.evaluate(() => performance.now()))
  await trawl.start()
  await trawl.task(trawl.site.page('b', { title: 'After', clip: 'en-known-02.flac' }))
  const back = Date.now()
  await live(page)
  await rows(page).filter({ hasText: 'After' }).waitFor()
  const took = Date.now() - back
  context.diagnostic(`live again after ${took} ms`)
  timed(took < 5000, `${took} ms`)
  await rows(page).filter({ hasText: 'After' }).getByText('Done in').waitFor({ timeout: 60_000 })
  assert.equal(await rows(page).count(), 2)
})

/** A proxy below /place that takes the prefix away or leaves it, and that answers 502 for a while when it is told to. */
async function proxy(context, trawl, strip) {
  const world = { broken: 0, seen: [] }
  const server = createServer(async (request, response) => {
    world.seen.push(request.url)
    if (world.broken > 0) {
      world.broken -= 1
      return response.writeHead(502).end('bad gateway')
    }
    if (!request.url.startsWith('/place/')) return response.writeHead(404).end()
    const path = strip ? request.url.slice('/place'.length) : request.url
    const stop = new AbortController()
    response.on('close', () => stop.abort())
    try {
      const answer = await fetch(trawl.origin + path, {
        method: request.method,
        headers: Object.fromEntries(Object.entries(request.headers).filter(([name]) => !['host', 'connection', 'content-length', 'transfer-encoding', 'origin'].includes(name))),
        body: ['GET', 'HEAD'].includes(request.method) ? undefined : request,
        duplex: 'half',
        redirect: 'manual',
        signal: stop.signal,
      })
      const headers = Object.fromEntries([...answer.headers].filter(([name]) => !['content-encoding', 'content-length', 'transfer-encoding', 'connection'].includes(name)))
      response.writeHead(answer.status, headers)
      response.flushHeaders()
      for await (const part of answer.body ?? []) response.write(part)
      response.end()
    } catch {
      response.destroy()
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  world.origin = `http://127.0.0.1:${server.address().port}`
  world.url = `${world.origin}/place/`
  return world
}

for (const strip of [true, false]) {
  test(`below a path, the prefix ${strip ? 'taken away' : 'left'} by the proxy: deep links, events, uploads`, async (context) => {
    const trawl = await daemon(context, { base: strip ? '' : '/place' })
    const front = await proxy(context, trawl, strip)
    trawl.seen = front.origin
    const page = await browse(context, trawl)
    for (const place of ['', 'workflows', 'tasks/1', 'settings/tokens', 'workflows/transcribe/runs']) {
      await page.goto(front.url + place)
      await page.locator('main h1, main [role=alert]').first().waitFor()
      assert.equal(await page.evaluate(() => document.baseURI), front.url)
    }
    await page.locator('nav a').first().click()
    await live(page)
    await page.locator('#paste').fill(trawl.site.page('a', { title: 'Behind a proxy' }))
    await page.keyboard.press('Control+Enter')
    await rows(page).filter({ hasText: 'Behind a proxy' }).getByText('Done in').waitFor({ timeout: 60_000 })
    await page.locator('input[type=file]').setInputFiles({ name: 'sent.wav', mimeType: 'audio/wav', buffer: silence(1) })
    await rows(page).filter({ hasText: 'sent.wav' }).waitFor()
    assert.deepEqual(front.seen.filter((path) => !path.startsWith('/place/')), [])
  })
}

test('three times 502 while the daemon restarts behind a proxy', async (context) => {
  const trawl = await daemon(context)
  const front = await proxy(context, trawl, true)
  trawl.seen = front.origin
  const page = await browse(context, trawl)
  await page.goto(front.url)
  await live(page)
  front.broken = 3
  await trawl.restart()
  await until('the 502s are used up', () => front.broken === 0)
  await trawl.task(trawl.site.page('a', { title: 'After the gateway' }))
  await rows(page).filter({ hasText: 'After the gateway' }).waitFor()
  await live(page)
})

/** So many seconds of silence as a WAV file. */
function silence(seconds) {
  const data = Buffer.alloc(16_000 * 2 * seconds)
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + data.length, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(16_000, 24)
  head.writeUInt32LE(32_000, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36)
  head.writeUInt32LE(data.length, 40)
  return Buffer.concat([head, data])
}
