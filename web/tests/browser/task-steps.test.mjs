// Words are there as soon as they are recognised, whatever becomes of the steps after that.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { browse, daemon, until } from './harness.mjs'
import { write } from './task.world.mjs'

/** A language model that answers nobody until `.open()`, and then refuses. */
async function refusing(context) {
  let open
  const opened = new Promise((resolve) => (open = resolve))
  const server = createServer(async (request, response) => {
    request.resume()
    await opened
    response.writeHead(401, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: { message: 'Wrong key' } }))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${server.address().port}/v1`, open }
}

const workflow = {
  dsl: 1,
  name: 'summed',
  params: { link: { type: 'url' } },
  steps: {
    source: { use: 'resolve', with: { link: '${params.link}' } },
    media: { use: 'download', with: { from: '${steps.source.output}' } },
    text: { use: 'transcribe', with: { media: '${steps.media.output}', language: 'en' } },
    summary: { use: 'llm', with: { system: 'Sum it up.', input: '${steps.text.output.text}' } },
    title: { use: 'llm', with: { system: 'A title.', input: '${steps.summary.output.text}' } },
  },
}

test('the words of a task whose later steps run, or fail', async (context) => {
  const llm = await refusing(context)
  const trawl = await daemon(context, { settings: `[llm]\nbase_url = "${llm.url}"\nmodel = "stub"` })
  await trawl.api('POST', 'api/workflows', workflow)
  const { id } = await trawl.api('POST', 'api/tasks', { workflow: 'summed', link: trawl.site.page('en', { title: 'A clip', clip: 'clip.mp4' }) })
  const page = await browse(context, trawl)
  await page.goto(`${trawl.url}tasks/${id}`)
  const button = (name, disabled) => page.getByRole('button', { name, exact: true, disabled })

  await context.test('while they run, they are read, searched and exported, and it is said when they can be edited', async () => {
    await button('Export', false).waitFor({ timeout: 180_000 })
    assert.equal((await trawl.api('GET', `api/tasks/${id}`)).status, 'processing')
    await button('Edit', true).waitFor()
    await page.getByText('Edit once the task has ended').waitFor()
    assert.equal(await page.getByText('More words come').count(), 0)
    // What is still to come has its place, in the order in which it is read.
    await until('both have their place', async () => (await page.locator('aside section[aria-busy] h2').allTextContents()).sort().join() === 'Summary,Title')
    const words = (await trawl.api('GET', `api/tasks/${id}/transcript`)).segments[0].text
    await page.keyboard.press('/')
    await page.getByRole('searchbox', { name: 'Find' }).fill(words.split(' ')[0])
    await page.locator('.count').getByText(/^1 of/).waitFor()
    await page.keyboard.press('Escape')
    await button('Export').click()
    await page.getByRole('dialog').locator('pre').getByText(words).waitFor()
    await page.keyboard.press('Escape')
    await page.axe()
  })

  await context.test('when one of them has failed, they are edited and exported as any', async () => {
    llm.open()
    const task = await trawl.done(id, 120)
    assert.equal(task.status, 'failed')
    await button('Edit', false).waitFor()
    // What went wrong is told once in full; what came after it was not run.
    assert.equal(await page.getByText(task.error.detail).count(), 1)
    await page.getByText('Not run').waitFor()
    await page.reload()
    await page.locator('.words p').first().waitFor()
    await write(page)
    await page.keyboard.press('End')
    await page.keyboard.type(' Corrected.')
    await page.keyboard.press('Control+s')
    await page.locator('.tools .status.done').waitFor()
    await until('it is saved', async () => /Corrected\./.test(await trawl.api('GET', `api/tasks/${id}/transcript?format=srt`)))
    await page.keyboard.press('Escape')
    await page.axe()
  })

  await context.test('deleted elsewhere, it is gone here', async () => {
    await trawl.api('DELETE', `api/tasks/${id}`)
    await page.getByRole('heading', { name: 'This task is gone' }).waitFor({ timeout: 10_000 })
    assert.equal(await page.locator('video, audio').count(), 0)
  })
})
