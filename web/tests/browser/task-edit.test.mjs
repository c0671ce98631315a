import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { browse, daemon, until } from './harness.mjs'
import { correct, playable, pointOf } from './task.world.mjs'

const first = [
  { start: 0.2, end: 2, text: 'Anna: The whale sleeps.' },
  { start: 2, end: 3, text: 'Ben: A whale?' },
  { start: 3, end: 3.8, text: 'Anna: One whale.' },
]

test('correcting', async (context) => {
  const trawl = await daemon(context)
  const id = await trawl.task(trawl.site.page('en', { title: 'A clip', clip: 'clip.mp4' }), { options: { language: 'en' } })
  assert.equal((await trawl.done(id, 180)).status, 'completed')
  const machine = await trawl.api('GET', `api/tasks/${id}/transcript?revision=original`)
  const texts = async (query = '') => (await trawl.api('GET', `api/tasks/${id}/transcript${query}`)).segments.map((segment) => segment.text)
  const rows = (page) => page.locator('.words li').evaluateAll((list) => list.map((row) => row.querySelector('textarea')?.value ?? row.querySelector('p').textContent))
  const saved = (page) => page.locator('.tools .status.done').waitFor()
  /** The page with three known lines. */
  const open = async (inner, more) => {
    await correct(trawl, id, first)
    const page = await browse(inner, trawl, more)
    await page.goto(`${trawl.url}tasks/${id}`)
    await page.locator('.words p').nth(2).waitFor()
    return page
  }

  await context.test('by keyboard alone: play, edit, split, join, undo, export', async (inner) => {
    const page = await open(inner)
    await playable(page)
    await page.keyboard.press(' ')
    await page.waitForFunction(() => !document.querySelector('video').paused)
    await page.keyboard.press(' ')
    await page.getByRole('slider').press('Home')
    await page.keyboard.press('e')
    await page.keyboard.press('Control+Home')
    await page.keyboard.press('End')
    await page.keyboard.press('Backspace')
    await page.keyboard.type(' soundly.')
    assert.deepEqual((await rows(page))[0], 'Anna: The whale sleeps soundly.')
    for (let at = 0; at < 'soundly.'.length; at += 1) await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Enter')
    assert.deepEqual((await rows(page)).slice(0, 3), ['Anna: The whale sleeps', 'soundly.', 'Ben: A whale?'])
    await page.keyboard.press('Backspace')
    assert.deepEqual((await rows(page))[0], 'Anna: The whale sleeps soundly.')
    await page.keyboard.press('Control+z')
    assert.equal((await rows(page)).length, 4)
    await page.keyboard.press('Control+Shift+z')
    assert.equal((await rows(page)).length, 3)
    await saved(page)
    await page.keyboard.press('Escape')
    assert.equal((await texts())[0], 'Anna: The whale sleeps soundly.')

    await page.getByRole('button', { name: 'Export' }).focus()
    await page.keyboard.press('Enter')
    await page.locator('pre').getByText('soundly').waitFor()
    await page.getByRole('link', { name: 'Download' }).focus()
    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
    assert.equal(download.suggestedFilename(), `A clip [${id}].srt`)
    assert.match(await readFile(await download.path(), 'utf8'), /00:00:00,200 --> 00:00:02,000\nAnna: The whale sleeps soundly\./)
    await page.keyboard.press('Escape')

    await page.reload()
    await page.locator('.words p').getByText('soundly').waitFor()
    await page.axe()
  })

  await context.test('subtitles are laid out as chosen, and what cannot be is said', async (inner) => {
    const page = await open(inner)
    await page.getByRole('button', { name: 'Export' }).click()
    const preview = page.locator('pre')
    await preview.getByText('Anna: The whale sleeps.').waitFor()
    await page.getByLabel('Longest line, in columns').fill('12')
    await page.getByLabel('Lines of a cue').fill('1')
    await until('cues of one short line', async () => /\nsleeps\./.test(await preview.textContent()))
    await page.getByLabel('Longest line, in columns').fill('3')
    await page.getByText('From 8 to 200').waitFor()
    assert.equal(await page.getByRole('link', { name: 'Download' }).count(), 0)
    await page.getByLabel('Format').selectOption('vtt')
    await page.getByLabel('Longest line, in columns').fill('')
    await preview.getByText('WEBVTT').waitFor()
    await page.axe()
  })

  await context.test('find and replace, speakers, and the way back to what the machine heard', async (inner) => {
    const page = await open(inner)
    await page.keyboard.press('/')
    await page.getByRole('searchbox', { name: 'Find' }).fill('whale')
    await page.locator('.count').getByText('1 of 3').waitFor()
    await page.keyboard.press('Enter')
    await page.locator('.count').getByText('2 of 3').waitFor()
    assert.equal(await page.evaluate(() => CSS.highlights.get('found').size), 3)
    await page.getByLabel('Replace by').fill('鲸')
    await page.getByRole('button', { name: 'Replace all 3' }).click()
    assert.deepEqual(await rows(page), ['Anna: The 鲸 sleeps.', 'Ben: A 鲸?', 'Anna: One 鲸.'])
    await page.getByRole('button', { name: 'Close' }).click()

    await page.getByRole('button', { name: 'Speakers 1' }).click()
    await page.getByLabel('Name of Anna').fill('Dr. Lee')
    await page.keyboard.press('Enter')
    await page.getByLabel('Name of Dr. Lee').waitFor()
    await page.axe()
    await page.keyboard.press('Escape')
    assert.deepEqual(await rows(page), ['Dr. Lee: The 鲸 sleeps.', 'Ben: A 鲸?', 'Dr. Lee: One 鲸.'])
    await until('it is saved', async () => (await texts())[0] === 'Dr. Lee: The 鲸 sleeps.')

    await page.getByRole('button', { name: 'Revisions' }).click()
    await page.getByText(machine.segments[0].text).waitFor()
    await page.getByRole('button', { name: 'Restore machine text' }).click()
    await until('what the machine heard', async () => (await texts()).join() === machine.segments.map((segment) => segment.text).join())
    assert.deepEqual(await rows(page), machine.segments.map((segment) => segment.text))
  })

  await context.test('two tabs: both texts are shown, and none is lost', async (inner) => {
    const one = await open(inner)
    const two = await browse(inner, trawl, { context: one.context() })
    await two.goto(`${trawl.url}tasks/${id}`)
    await two.locator('.words p').nth(2).waitFor()
    const write = async (page, text, row, more) => {
      await page.getByRole('button', { name: 'Edit', exact: true }).click()
      const { x, y } = await pointOf(page, row)
      await page.mouse.click(x, y)
      await page.keyboard.press('End')
      await page.keyboard.type(text)
      if (more) await page.keyboard.press('Control+s')
    }
    await write(one, ' Of one.', 'Ben: A whale?', true)
    await saved(one)
    await write(two, ' Of two.', 'Ben: A whale?')
    await two.keyboard.press('ArrowDown')
    await two.keyboard.press('End')
    await two.keyboard.type(' Mine alone.')
    await two.keyboard.press('Control+s')
    const dialog = two.getByRole('dialog', { name: 'Two versions' })
    await dialog.getByText('Ben: A whale? Of one.').waitFor()
    await dialog.getByText('Ben: A whale? Of two.').waitFor()
    await two.axe()
    await dialog.getByRole('radio', { name: /Theirs/ }).check()
    await dialog.getByRole('button', { name: 'Save this choice' }).click()
    await until('both are one', async () => (await texts()).join('|') === 'Anna: The whale sleeps.|Ben: A whale? Of one.|Anna: One whale. Mine alone.')
  })

  await context.test('a lost connection keeps what was typed, also over a reload, and it is saved when the daemon is back', async (inner) => {
    const page = await open(inner)
    await page.keyboard.press('e')
    await page.keyboard.press('End')
    await trawl.kill()
    await page.keyboard.type(' Kept.')
    await page.keyboard.press('Control+s')
    await page.getByText('Kept here; trying again').waitFor()
    assert.match(await page.evaluate((id) => localStorage.getItem(`trawl.draft.${id}`), id), /Kept\./)
    await trawl.start()
    await until('it is saved', async () => (await texts())[0] === 'Anna: The whale sleeps. Kept.')
    await saved(page)
    assert.equal(await page.evaluate((id) => localStorage.getItem(`trawl.draft.${id}`), id), null)

    await page.keyboard.type(' And again.')
    await until('the browser has a copy', () => page.evaluate((id) => /And again/.test(localStorage.getItem(`trawl.draft.${id}`) ?? ''), id))
    await page.route('**/transcript', (route) => (route.request().method() === 'PUT' ? route.abort() : route.continue()))
    await page.reload()
    await page.getByText('What you had typed and not saved is here again.').waitFor()
    assert.equal((await rows(page))[0], 'Anna: The whale sleeps. Kept. And again.')
    await page.unroute('**/transcript')
    await until('it is saved', async () => (await texts())[0] === 'Anna: The whale sleeps. Kept. And again.')
  })
})

test('a sign-in in the middle of an edit loses nothing', async (context) => {
  const trawl = await daemon(context, { settings: 'auth.mode = "on"' })
  const token = await trawl.token('admin')
  const id = await trawl.task(trawl.site.page('en'), { options: { language: 'en' } })
  assert.equal((await trawl.done(id, 180)).status, 'completed')
  const page = await browse(context, trawl)
  const signIn = async () => {
    await page.getByLabel('Access token').fill(token)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }
  await page.goto(`${trawl.url}tasks/${id}`)
  await signIn()
  await page.locator('.words p').first().waitFor()
  const before = await page.locator('.words p').first().textContent()
  await page.keyboard.press('e')
  await page.keyboard.press('End')
  // At once, as an input method types: whatever asks first from now on is refused, and the sign-in opens over the edit.
  await page.keyboard.insertText(' Not lost.')
  await page.context().clearCookies()
  await page.keyboard.press('Control+s')
  await page.getByLabel('Access token').waitFor()
  assert.equal(await page.locator('.words textarea').inputValue(), `${before} Not lost.`)
  await signIn()
  await page.locator('.tools .status.done').waitFor()
  assert.equal((await trawl.api('GET', `api/tasks/${id}/transcript`)).segments[0].text, `${before} Not lost.`)
})
