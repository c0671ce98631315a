import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browse, daemon } from './harness.mjs'
import { correct, model, write } from './task.world.mjs'

const attack = '<img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>'
const turned = '\u202egnp.exe\u2066'
const markdown = `# ${attack}

[press](javascript:globalThis.hacked=1) and [web](https://example.org/a) and ![pic](https://example.org/p.png)

- ${turned} <b onclick="globalThis.hacked=1">bold</b>

<iframe src="https://example.org"></iframe>`

const workflow = {
  dsl: 1,
  name: 'hostile',
  params: { link: { type: 'url' }, callback_url: { type: 'url' } },
  steps: {
    source: { use: 'resolve', with: { link: '${params.link}' } },
    media: { use: 'download', with: { from: '${steps.source.output}' } },
    text: { use: 'transcribe', with: { media: '${steps.media.output}', language: 'en' } },
    summary: { use: 'llm', with: { system: 'Sum it up.', input: '${steps.text.output.text}' } },
    chapters: { use: 'llm', with: { prompt: 'chapters', segments: '${steps.text.output.segments}' } },
    keywords: { use: 'llm', with: { prompt: 'keywords', input: '${steps.text.output.text}' } },
    broken: { use: 'http', with: { url: '${params.callback_url}', method: 'GET' }, on_error: 'continue', retry: { max: 1 } },
  },
}

test('what strangers wrote is text, in every place where it is shown', async (context) => {
  const llm = await model(context, ({ messages, response_format: format }) => {
    const asked = JSON.stringify([messages, format])
    if (/chapters/.test(asked)) return JSON.stringify({ chapters: [{ start: 1, title: attack, summary: turned }] })
    if (/keywords/.test(asked)) return JSON.stringify({ keywords: [attack, turned] })
    return markdown
  })
  const trawl = await daemon(context, { settings: `[llm]\nbase_url = "${llm}"\nmodel = "stub"` })
  await trawl.api('POST', 'api/workflows', workflow)
  const link = trawl.site.page('en', { title: `${attack} ${turned}`, clip: 'clip.mp4' })
  const { id } = await trawl.api('POST', 'api/tasks', { workflow: 'hostile', link, params: { callback_url: `${trawl.site.url}/<img src=x onerror=alert(1)>` } })
  const task = await trawl.done(id, 240)
  assert.equal(task.status, 'completed', JSON.stringify(task.error))
  const states = Object.fromEntries(task.steps.map((step) => [step.key, step.state]))
  assert.deepEqual([states.summary, states.chapters, states.keywords, states.broken], ['succeeded', 'succeeded', 'succeeded', 'failed'], JSON.stringify(task.steps.map((step) => step.error)))
  await correct(trawl, id, [
    { start: 0, end: 1, text: `${attack}: hello` },
    { start: 1, end: 2, text: `${attack}: ${turned}` },
    { start: 2, end: 2.2, text: `Mal\u202elory: hi` },
    { start: 2.2, end: 2.5, text: `Mal\u202elory: again` },
    { start: 2.5, end: 3, text: `Eve<svg/onload=alert(1)>: [x](javascript:alert(1))` },
  ])

  const sound = async (page) => {
    assert.equal(await page.evaluate(() => globalThis.hacked), undefined)
    assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('#app img, #app iframe, #app script, #main b, a[href^="javascript"], [onerror], [onclick]')].map((each) => each.outerHTML)), [])
    // A mark that turns text around would reach beyond its own place.
    assert.equal(await page.evaluate(() => /[\u202a-\u202e\u2066-\u2069]/.test(document.body.innerText)), false)
    assert.equal(await page.evaluate(() => /[\u202a-\u202e\u2066-\u2069]/.test(document.title)), false)
    assert.equal(await page.evaluate(() => [...document.querySelectorAll('input')].some((field) => /[\u202a-\u202e\u2066-\u2069]/.test(`${field.value}${field.ariaLabel}`))), false)
  }
  for (const colorScheme of ['light', 'dark']) {
    const page = await browse(context, trawl, { colorScheme })
    await page.goto(`${trawl.url}tasks/${id}`)
    await page.locator('.words p').nth(2).waitFor()
    assert.ok((await page.locator('h1').textContent()).includes(attack))
    await page.getByRole('heading', { name: 'Summary' }).waitFor()
    await page.getByRole('button', { name: /onerror/ }).first().waitFor()
    assert.equal(await page.getByRole('link', { name: 'web' }).getAttribute('href'), 'https://example.org/a')
    assert.equal(await page.getByRole('link', { name: 'press' }).count(), 0)
    await sound(page)
    await page.axe()

    await page.getByRole('button', { name: 'chapters' }).click()
    await page.getByRole('dialog').locator('pre').last().waitFor()
    await sound(page)
    await page.axe()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: /^Speakers/ }).click()
    await page.getByRole('dialog').locator('input').first().waitFor()
    await sound(page)
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Export' }).click()
    await page.getByRole('dialog').locator('pre').getByText('hello').waitFor()
    await sound(page)
    await page.keyboard.press('Escape')
    await write(page)
    await page.axe()
  }

  const phone = await browse(context, trawl, { viewport: { width: 390, height: 844 }, locale: 'zh-TW' })
  await phone.goto(`${trawl.url}tasks/${id}`)
  await phone.locator('.words p').nth(2).waitFor()
  await phone.axe()
  for (const width of [390, 320]) {
    await phone.setViewportSize({ width, height: 800 })
    assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width}`)
  }
})
