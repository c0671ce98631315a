import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browse, daemon, until } from './harness.mjs'
import { long } from './task.world.mjs'


test('tasks that run, wait, fail, and are done again', async (context) => {
  const trawl = await daemon(context, { settings: 'callbacks.schedule = ["1h"]\ncallbacks.busy_wait = "1s"' })

  await context.test('words come as they are recognised, also those from before the page was opened', async (inner) => {
    const open = trawl.site.gate()
    const page = await browse(inner, trawl)
    const id = await trawl.task(trawl.site.page('long', { title: 'Two sentences', clip: 'en-known-14.flac' }), { options: { language: 'en' } })
    // The finished transcript is held back: what is shown meanwhile are the words of the events.
    let release
    const held = new Promise((resolve) => (release = resolve))
    await page.route('**/api/tasks/*/transcript', async (route) => {
      await held
      await route.continue()
    })
    await page.goto(`${trawl.url}tasks/${id}`)
    await page.getByText(/Words appear here|It has not begun/).waitFor()
    open()
    await page.locator('.words p').first().waitFor({ timeout: 120_000 })
    release()
    const early = await browse(inner, trawl)
    await early.goto(`${trawl.url}tasks/${id}`)
    await early.locator('.words p').first().waitFor()
    assert.equal((await trawl.done(id, 240)).status, 'completed')
    const { segments } = await trawl.api('GET', `api/tasks/${id}/transcript`)
    for (const each of [page, early]) {
      await each.getByRole('button', { name: 'Export', disabled: false }).waitFor()
      assert.deepEqual(await each.locator('.words p').allTextContents(), segments.map((segment) => segment.text))
    }
    await page.axe()
  })

  await context.test('a callback that failed is sent again, and its new attempt is there without a reload', async (inner) => {
    trawl.site.answer = 500
    const id = await trawl.task(trawl.site.page('en'), { options: { language: 'en' }, callback_url: trawl.site.hook })
    await trawl.done(id, 180)
    const page = await browse(inner, trawl)
    await page.goto(`${trawl.url}tasks/${id}`)
    const attempts = page.getByRole('list', { name: 'Attempts' }).getByRole('listitem')
    await until('the first attempt', async () => (await attempts.count()) >= 1)
    const before = await attempts.count()
    await page.locator('header').getByText('callback failing').waitFor()
    await page.evaluate(() => (globalThis.same = true))
    trawl.site.answer = 204
    await page.getByRole('button', { name: 'Send again' }).click()
    await until('the next attempt', async () => (await attempts.count()) === before + 1)
    await page.getByText('Delivered').waitFor()
    await until('the head is content', async () => (await page.getByText('callback failing').count()) === 0)
    assert.match(await attempts.last().textContent(), /204/)
    assert.equal(await page.evaluate(() => globalThis.same), true)
    await page.axe()
  })

  await context.test('with other options it becomes another task; deleted, it is gone', async (inner) => {
    const id = await trawl.task(trawl.site.page('zh', { title: 'A film', clip: 'zh-known-05.flac' }), { options: { language: 'zh' } })
    await trawl.done(id, 180)
    const page = await browse(inner, trawl)
    await page.goto(`${trawl.url}tasks/${id}`)
    await page.getByRole('button', { name: 'Run again' }).click()
    await page.getByRole('menuitem', { name: 'With other options' }).click()
    await page.getByLabel('Language').fill('klingon')
    await page.getByRole('button', { name: 'Start' }).click()
    await page.getByRole('dialog').getByRole('alert').waitFor()
    await page.axe()
    await page.getByLabel('Language').fill('zh')
    await page.getByRole('dialog').getByLabel('Script').selectOption('tw')
    await page.getByLabel('Times of words').check()
    await page.getByRole('button', { name: 'Start' }).click()
    await page.waitForURL((url) => /tasks\/\d+$/.test(url.pathname) && !url.pathname.endsWith(`/${id}`))
    const again = Number(/\d+$/.exec(page.url())[0])
    const made = await trawl.done(again, 180)
    assert.equal(made.status, 'completed', JSON.stringify(made.error))
    assert.deepEqual(made.options, { language: 'zh', zh: 'tw', word_timestamps: true })
    const hant = (await trawl.api('GET', `api/tasks/${again}/transcript`)).text
    // Until it has ended, words stand there as they were recognised.
    await until('the script of the task', async () => (await page.locator('.words p').allTextContents()).join('') === hant)

    assert.equal(await page.getByRole('button', { name: '繁' }).getAttribute('aria-pressed'), 'true')

    // The script by the switch, and in the address.
    const raw = (await trawl.api('GET', `api/tasks/${again}/transcript?zh=none`)).text
    await page.getByRole('button', { name: '原' }).click()
    await page.waitForURL('**?zh=none')
    await until('as recognised', async () => (await page.locator('.words p').allTextContents()).join('') === raw)
    await page.getByRole('button', { name: '繁' }).click()
    await until('traditional', async () => (await page.locator('.words').getAttribute('lang')) === 'zh-TW')
    // In a script that is not stored nothing can be written: it goes back by itself.
    await page.getByRole('button', { name: '原' }).click()
    await page.waitForURL('**?zh=none')
    await page.getByRole('button', { name: 'Edit', exact: true }).click()
    await page.locator('.words textarea').waitFor()
    assert.equal(await page.getByRole('button', { name: '繁' }).getAttribute('aria-pressed'), 'true')
    assert.ok(!page.url().includes('zh='), page.url())
    await page.keyboard.press('Escape')

    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Delete' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.waitForURL(trawl.url)
    await page.goto(`${trawl.url}tasks/${again}`)
    await page.getByRole('heading', { name: 'This task is gone' }).waitFor()
    await page.axe()
  })

  await context.test('a failure says why and what to do; cancelled and retried by buttons', async (inner) => {
    const page = await browse(inner, trawl)
    const open = trawl.site.gate()
    const held = await trawl.task(trawl.site.page('held'), { options: { language: 'en' } })
    await page.goto(`${trawl.url}tasks/${held}`)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Retry' }).waitFor()
    // Who has cancelled it knows why: nothing has failed, and what never began was not run.
    await page.getByText('Not run').first().waitFor()
    assert.equal(await page.getByText('The last try failed').count(), 0)
    assert.equal(await page.locator('aside').getByRole('alert').count(), 0)
    await page.getByRole('button', { name: 'Retry' }).click()
    await page.getByRole('button', { name: 'Cancel' }).waitFor()
    open()
    assert.equal((await trawl.done(held, 180)).status, 'completed')
    await page.locator('.words p').first().waitFor()

    const id = await trawl.task(`${trawl.site.url}/nothing.html`)
    const task = await trawl.done(id, 120)
    assert.equal(task.status, 'failed')
    await page.goto(`${trawl.url}tasks/${id}`)
    await page.getByText(task.error.detail).first().waitFor()
    assert.equal(await page.getByText(task.error.detail, { exact: true }).count(), 1)
    await page.getByText(task.error.hint).first().waitFor()
    await page.axe()
  })

  await context.test('doubtful segments are folded, and finding one opens them', async (inner) => {
    const id = await trawl.task(trawl.site.page('fold'), { options: { language: 'en' } })
    await trawl.done(id, 180)
    const made = long(9)
    for (const at of [4, 5]) Object.assign(made.segments[at], { text: `thanks for watching ${at}`, words: [], no_speech_prob: 0.95, avg_logprob: -1.6 })
    const page = await browse(inner, trawl)
    await page.route('**/api/tasks/*/transcript', (route) => route.fulfill({ contentType: 'application/json', headers: { etag: '"1"' }, body: JSON.stringify(made) }))
    await page.goto(`${trawl.url}tasks/${id}`)
    await page.getByText('2 segments hidden').waitFor()
    assert.equal(await page.getByText('thanks for watching 4').isVisible(), false)
    await page.keyboard.press('/')
    await page.getByRole('searchbox', { name: 'Find' }).fill('watching 4')
    await page.getByText('thanks for watching 4').waitFor()
    await page.axe()
  })
})

test('a task that waits for a model says so', async (context) => {
  const trawl = await daemon(context, { models: false })
  const id = await trawl.task(trawl.site.page('en'))
  const page = await browse(context, trawl)
  await page.goto(`${trawl.url}tasks/${id}`)
  await page.getByText('It waits:').waitFor({ timeout: 60_000 })
  const task = await trawl.api('GET', `api/tasks/${id}`)
  await page.getByText(task.waiting.detail.replaceAll('`', '')).first().waitFor()
  await page.locator('.meta').getByText('Waiting for the model').waitFor()
  assert.equal(await page.locator('#main').getByRole('alert').count(), 0)
  await page.axe()
})
