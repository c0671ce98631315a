// Without a pointer, and without the test putting the focus anywhere: what somebody does who has a keyboard alone.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { browse, daemon, until } from './harness.mjs'

/** What has the focus: what it is, and its name or its words. */
const at = (page) =>
  page.evaluate(() => {
    const node = document.activeElement
    return `${node.localName} ${node.id || node.getAttribute('aria-label') || node.textContent.trim()}`
  })
/** Presses a key until something has the focus, and says how often. */
async function reach(page, what, key = 'Tab', most = 12) {
  for (let times = 1; times <= most; times += 1) {
    await page.keyboard.press(key)
    if (what.test(await at(page))) return times
  }
  throw new Error(`${what} is not reached by ${most} times ${key}: ${await at(page)}`)
}
const has = (page, what) => until(`the focus is on ${what}`, async () => what.test(await at(page)))

test('paste, play, edit, export', async (context) => {
  const trawl = await daemon(context)
  const page = await browse(context, trawl)
  const link = trawl.site.page('a', { title: 'A clip', clip: 'clip.mp4' })
  await page.goto(trawl.url)
  await page.getByText('Nothing here yet').waitFor()

  await page.keyboard.press('n')
  await page.keyboard.type(link)
  await page.keyboard.press('Control+a')
  await page.keyboard.press('Control+x')
  await has(page, /^textarea paste$/)
  assert.equal(await page.locator('#paste').inputValue(), '')
  await page.keyboard.press('Control+v')
  await page.getByText('1 link').waitFor()
  await page.keyboard.press('Control+Enter')
  await page.getByRole('listitem').filter({ hasText: 'A clip' }).waitFor({ timeout: 60_000 })
  // More can be pasted at once; Escape leaves the box.
  assert.match(await at(page), /^textarea paste$/)
  await page.keyboard.press('Escape')
  await page.keyboard.press('j')
  await has(page, /^a A clip$/)
  await page.keyboard.press('Enter')

  await has(page, /^main /)
  await page.getByRole('button', { name: 'Edit', exact: true, disabled: false }).waitFor({ timeout: 60_000 })
  await page.waitForFunction(() => document.querySelector('video')?.readyState >= 2)
  await page.keyboard.press(' ')
  await page.waitForFunction(() => !document.querySelector('video').paused)
  await page.keyboard.press(' ')
  await page.waitForFunction(() => document.querySelector('video').paused)

  await page.keyboard.press('e')
  await has(page, /^textarea /)
  await page.keyboard.press('End')
  await page.keyboard.type(' As written.')
  await page.keyboard.press('Control+s')
  await page.locator('.tools .status.done').waitFor()
  await page.keyboard.press('Escape')
  // Where it was written: the keys go on from there, and one step back are the tools.
  await has(page, /^li line-\d+$/)
  const line = await at(page)
  await page.keyboard.press('e')
  await has(page, /^textarea /)
  await page.keyboard.press('Escape')
  await until('the same line again', async () => (await at(page)) === line)

  assert.ok((await reach(page, /^button Export$/, 'Shift+Tab')) <= 2)
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').locator('pre').getByText('As written.').waitFor()
  await has(page, /^select /)
  await reach(page, /^a Download$/)
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
  assert.match(await readFile(await download.path(), 'utf8'), /As written\./)
  await page.keyboard.press('Escape')
  await has(page, /^button Export$/)
  // The cross gives the focus back, too.
  await page.keyboard.press('Enter')
  await has(page, /^select /)
  await reach(page, /^button Close$/, 'Shift+Tab', 1)
  await page.keyboard.press('Enter')
  await has(page, /^button Export$/)

  // What was found has the focus when the search is closed.
  await page.keyboard.press('/')
  await has(page, /^input Find$/)
  await page.keyboard.type('as written')
  await page.locator('.count').getByText('1 of 1').waitFor()
  await page.keyboard.press('Escape')
  await until('the line that was found', async () => (await at(page)) === line)
})

test('the task before and the task after', async (context) => {
  const trawl = await daemon(context)
  const page = await browse(context, trawl)
  // Each with a clip of its own: tasks of the same media have one title.
  const clips = { one: 'en-known-00.wav', two: 'en-known-02.flac', three: 'en-known-04.flac', four: 'en-known-12.wav' }
  const good = async (name) => trawl.task(trawl.site.page(name, { title: `Remark ${name}`, clip: clips[name] }))
  const one = await good('one')
  const bad = await trawl.task(`${trawl.site.url}/missing.html`)
  const two = await good('two')
  const three = await good('three')
  for (const id of [one, bad, two, three]) await trawl.done(id)
  const here = (id) => page.waitForURL(`**/tasks/${id}`)

  // Those that the inbox was narrowed to, in its order.
  await page.goto(`${trawl.url}?status=completed`)
  await until('three', async () => (await page.getByRole('list', { name: 'Tasks' }).getByRole('listitem').count()) === 3)
  await page.keyboard.press('j')
  await has(page, /^a Remark three$/)
  await page.keyboard.press('j')
  await has(page, /^a Remark two$/)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Remark two' }).waitFor()
  await page.keyboard.press(']')
  await page.getByRole('heading', { name: 'Remark one' }).waitFor()
  await here(one)
  await has(page, /^main /)
  await page.keyboard.press(']')
  await page.locator('.toasts').getByText('No task stands after this one').waitFor()
  await page.keyboard.press('[')
  await here(two)
  // While something is typed they are what they look like.
  await page.getByRole('heading', { name: 'Remark two' }).waitFor()
  await page.getByRole('button', { name: 'Edit', exact: true, disabled: false }).waitFor()
  await page.locator('.words p').first().waitFor()
  await page.keyboard.press('e')
  await has(page, /^textarea /)
  await page.keyboard.press('Home')
  await page.keyboard.type('[]')
  assert.match(await page.locator('.words textarea').inputValue(), /^\[\]/)
  await page.keyboard.press('Escape')
  await page.keyboard.press('[')
  await here(three)
  await page.getByRole('heading', { name: 'Remark three' }).waitFor()
  await until('what was typed is saved', async () => (await trawl.api('GET', `api/tasks/${two}/transcript`)).text.startsWith('[]'))
  await page.keyboard.press('[')
  await page.locator('.toasts').getByText('No task stands before this one').waitFor()

  // An address that was opened: all tasks, and those that come in meanwhile.
  await page.goto(`${trawl.url}tasks/${two}`)
  await page.getByRole('heading', { name: 'Remark two' }).waitFor()
  await page.keyboard.press(']')
  await here(bad)
  await page.getByRole('heading', { name: /missing/ }).waitFor()
  await page.keyboard.press('[')
  await here(two)
  await page.getByRole('heading', { name: 'Remark two' }).waitFor()
  await page.keyboard.press('[')
  await here(three)
  await page.getByRole('heading', { name: 'Remark three' }).waitFor()
  const four = await good('four')
  await page.keyboard.press('[')
  await here(four)
  await page.keyboard.press('?')
  await page.getByRole('dialog').getByText('Task before, in the list').waitFor()
  // A task that is gone leads on.
  await page.keyboard.press('Escape')
  await trawl.done(four)
  await trawl.api('DELETE', `api/tasks/${three}`)
  await page.goto(`${trawl.url}tasks/${three}`)
  await page.getByRole('heading', { name: 'This task is gone' }).waitFor()
  await page.keyboard.press(']')
  await here(two)
})
