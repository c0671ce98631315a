import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { browse, daemon, until } from './harness.mjs'

const rows = (page) => page.getByRole('list', { name: 'Tasks' }).getByRole('listitem')

/** Drops files of so many bytes on the page, as a person would. */
const drop = (page, files) =>
  page.evaluate((files) => {
    const transfer = new DataTransfer()
    for (const { name, size } of files) {
      const bytes = new Uint8Array(size)
      for (let at = 0; at < size; at += 4096) bytes[at] = at % 251
      transfer.items.add(new File([bytes], name, { type: 'audio/wav', lastModified: 1 }))
    }
    for (const kind of ['dragenter', 'dragover', 'drop']) dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, cancelable: true, bubbles: true }))
  }, files)

/** Lets so many bytes a second through. */
async function slow(page, bytes) {
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes })
  return session
}

test('two files dropped on another page become tasks, through other pages and the death of the daemon', async (context) => {
  const trawl = await daemon(context)
  const page = await browse(context, trawl)
  await page.goto(`${trawl.url}models`)
  await page.locator('h1').waitFor()
  const line = await slow(page, 2_000_000)
  await drop(page, [{ name: 'long one.wav', size: 40_000_000 }, { name: '短い.wav', size: 500_000 }])
  const upload = page.locator('.upload').filter({ hasText: 'long one.wav' })
  await upload.getByText(/left/).waitFor()
  await page.locator('nav a').first().click()
  await page.locator('#paste').waitFor()
  await page.axe()
  await until('a piece is on the disk', async () => Number(await upload.getByRole('progressbar').getAttribute('aria-valuenow')) > 22)
  await trawl.kill()
  await upload.getByText('connection lost').waitFor()
  await trawl.start()
  await line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 })
  await rows(page).filter({ hasText: 'long one.wav' }).waitFor({ timeout: 60_000 })
  await rows(page).filter({ hasText: '短い.wav' }).waitFor()
  const tasks = (await trawl.api('GET', 'api/tasks')).items
  assert.equal(tasks.length, 2)
  const bytes = Buffer.alloc(40_000_000)
  for (let at = 0; at < bytes.length; at += 4096) bytes[at] = at % 251
  assert.equal(tasks.find((task) => task.media.title.includes('long')).media.sha256, createHash('sha256').update(bytes).digest('hex'))
})

test('an upload pauses and goes on, and one that was broken off by closing the page goes on with the same file', async (context) => {
  const trawl = await daemon(context)
  const page = await browse(context, trawl)
  await page.goto(trawl.url)
  const line = await slow(page, 2_000_000)
  await drop(page, [{ name: 'a.wav', size: 30_000_000 }])
  const upload = page.locator('.upload')
  await until('a piece has gone', async () => Number(await upload.getByRole('progressbar').getAttribute('aria-valuenow')) > 30)
  await page.getByRole('button', { name: 'Pause a.wav' }).click()
  await upload.getByText('paused').waitFor()
  page.on('dialog', (dialog) => dialog.accept())
  await page.reload()
  await upload.getByText('choose the same file again').waitFor()
  await until('it says how much has arrived', async () => Number(await upload.getByRole('progressbar').getAttribute('aria-valuenow')) > 20)
  let begun = 0
  page.on('request', (request) => (begun += request.method() === 'POST' && request.url().endsWith('/api/uploads') ? 1 : 0))
  await line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 })
  await drop(page, [{ name: 'a.wav', size: 30_000_000 }])
  await rows(page).filter({ hasText: 'a.wav' }).waitFor({ timeout: 60_000 })
  assert.equal(begun, 0)
  // The list has it now.
  await upload.waitFor({ state: 'detached' })
})

test('a file that is refused says why', async (context) => {
  const trawl = await daemon(context, { settings: 'uploads.max_bytes = 1000000' })
  const page = await browse(context, trawl)
  await page.goto(trawl.url)
  await drop(page, [{ name: 'large.wav', size: 2_000_000 }])
  await page.locator('.upload').getByRole('alert').getByText('too_large').waitFor()
  await page.axe()
  await page.getByRole('button', { name: 'Remove large.wav' }).click()
  await page.locator('.upload').waitFor({ state: 'detached' })
})

test('a file for which there is no room goes on by itself, and an empty one is not sent', async (context) => {
  const trawl = await daemon(context)
  const page = await browse(context, trawl)
  await page.goto(trawl.url)
  let isFull = true
  const full = { code: 'insufficient_storage', title: 'x', status: 507, detail: '5 MiB are needed, 1 MiB is free', hint: 'Free some disk space' }
  await page.route('**/api/uploads', (route) => (isFull ? route.fulfill({ status: 507, contentType: 'application/problem+json', body: JSON.stringify(full) }) : route.continue()))
  await drop(page, [{ name: 'waits.wav', size: 500_000 }, { name: 'empty.wav', size: 0 }])
  const [waits, empty] = ['waits.wav', 'empty.wav'].map((name) => page.locator('.upload').filter({ hasText: name }))
  await waits.getByText('no room on the daemon’s disk, goes on by itself').waitFor()
  await empty.getByText('The file is empty').waitFor()
  assert.equal(await empty.getByRole('progressbar').count(), 0)
  assert.equal(await empty.getByRole('button').count(), 1)
  await page.axe()
  isFull = false
  await rows(page).filter({ hasText: 'waits.wav' }).waitFor({ timeout: 60_000 })
})
