// An address of the own network over plain http: no clipboard of the newer kind, no locks, no random ids.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browse, browser, daemon, until } from './harness.mjs'

test('over plain http on another name, tabs live side by side and texts can be copied', async (context) => {
  const trawl = await daemon(context, { settings: 'auth.mode = "on"' })
  const token = await trawl.token('admin')
  const there = new URL(trawl.url)
  there.hostname = 'trawl.lan'
  trawl.seen = there.origin
  const id = await trawl.task(trawl.site.page('a', { title: 'From the next room' }), { options: { language: 'en' } })
  assert.equal((await trawl.done(id)).status, 'completed')
  const { text } = await trawl.api('GET', `api/tasks/${id}/transcript`)

  const profile = await (await browser()).newContext({ locale: 'en-GB' })
  context.after(() => profile.close())
  const page = await browse(context, trawl, { context: profile })
  await page.goto(there.href)
  assert.equal(await page.evaluate(() => isSecureContext || 'clipboard' in navigator), false)
  const dialog = page.getByRole('dialog', { name: 'Sign in' })
  await dialog.getByLabel('Access token').fill(token)
  await page.keyboard.press('Enter')
  await page.getByText('From the next room').click()
  await page.getByRole('button', { name: 'Export' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Copy' }).click()
  await page.locator('.toast', { hasText: 'Copied' }).waitFor()
  await page.keyboard.press('Escape')

  // What was copied can be pasted into another tab.
  const other = await browse(context, trawl, { context: profile })
  await other.goto(there.href)
  await other.locator('.connection.live').waitFor()
  await other.locator('#paste').focus()
  await other.keyboard.press('Control+v')
  await until('it is pasted', async () => (await other.locator('#paste').inputValue()).includes(text.trim()))
})
