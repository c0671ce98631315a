// A run of a workflow as a diagram: every step where it stands, while one looks.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browse, daemon, until } from './harness.mjs'

const parts = {
  dsl: 1,
  name: 'parts',
  params: { link: { type: 'url' }, gone: { type: 'url' }, loud: { type: 'boolean', default: false } },
  steps: {
    source: { use: 'resolve', with: { link: '${params.link}' } },
    media: { use: 'download', with: { from: '${steps.source.output}' } },
    never: { use: 'condition', when: 'params.loud', with: { cases: [{ when: 'params.loud', value: 1 }], else: 0 } },
    other: { use: 'resolve', with: { link: '${params.gone}' }, after: ['media'] },
  },
  on_error: { why: { use: 'condition', with: { cases: [{ when: "task.error.code == 'source_not_found'", value: 'gone' }], else: 'else' } } },
  output: { length: '${steps.media.output.duration_ms}' },
}

const box = (page, name, list = 'Steps') => page.getByRole('list', { name: list }).getByRole('button', { name: new RegExp(`^${name} `) })
const stands = (page, name, words, list) => until(`${name} ${words}`, async () => ((await box(page, name, list).locator('.mark').textContent().catch(() => '')) ?? '').startsWith(words))

test('a run is drawn with every step where it stands, live: done, running, failed and skipped, in a word and a mark each', async (context) => {
  const trawl = await daemon(context)
  await trawl.api('POST', 'api/workflows', parts)
  const page = await browse(context, trawl)
  const drawn = []
  page.on('request', (request) => /\/(layout|Diagram)-[^/]*\.js$/.test(request.url()) && drawn.push(request.url()))
  const open = trawl.site.gate()
  const id = await trawl.task(trawl.site.page('talk', { title: 'A talk' }), { workflow: 'parts', params: { gone: `${trawl.site.url}/gone.html` } })

  // Its place in the list of runs leads there, and so does the task's list of steps; only then what draws is loaded.
  await page.goto(`${trawl.url}workflows/parts/runs`)
  const line = page.getByRole('list', { name: 'Runs' }).getByRole('listitem')
  await line.getByText('Running').waitFor()
  assert.deepEqual(drawn, [])
  await line.getByRole('link', { name: 'Diagram' }).click()
  await page.waitForURL(`${trawl.url}tasks/${id}/run`)
  await page.getByRole('heading', { name: 'Run of parts' }).waitFor()
  await page.evaluate(() => (globalThis.same = true))
  await stands(page, 'source', 'Done')
  await stands(page, 'media', 'Running')
  await stands(page, 'never', 'Skipped')
  await stands(page, 'other', 'Not yet')
  assert.ok(drawn.length > 0)
  // What is done about a failure is not drawn while there is none.
  assert.equal(await page.getByRole('list', { name: 'When the task has failed' }).count(), 0)
  await page.axe()

  open()
  await stands(page, 'media', 'Done')
  await stands(page, 'other', 'Failed')
  await stands(page, 'why', 'Done', 'When the task has failed')
  assert.equal((await trawl.done(id)).status, 'failed')
  await page.locator('.head').getByText('Failed').waitFor()
  assert.equal(await page.evaluate(() => globalThis.same), true)

  // The state is a word with a mark; the colour says it once more.
  const looks = Object.fromEntries(await Promise.all(['source', 'other', 'never'].map(async (name) => [name, await box(page, name).evaluate((node) => ({
    mark: node.querySelector('.mark svg path').getAttribute('d'), colour: getComputedStyle(node).borderTopColor, words: node.textContent,
  }))])))
  assert.equal(new Set(Object.values(looks).map(({ mark }) => mark)).size, 3)
  assert.equal(new Set(Object.values(looks).map(({ colour }) => colour)).size, 3)
  assert.match(looks.never.words, /Skipped.*Only when params\.loud/s)
  assert.match(looks.other.words, /Failed.*Runs after media/s)
  await page.axe()

  // A step opens from its box; the list beside it says the same.
  await box(page, 'other').click()
  const step = (await trawl.api('GET', `api/tasks/${id}/steps/other`))
  await page.getByRole('dialog', { name: 'Step other' }).getByText(step.error.detail).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('region', { name: 'Steps' }).getByText('Skipped').waitFor()
})

test('the task leads to the diagram of its steps, by keyboard too, and a run keeps the revision that it was made of', async (context) => {
  const trawl = await daemon(context)
  await trawl.api('POST', 'api/workflows', parts)
  const id = await trawl.task(trawl.site.page('talk', { title: 'A talk' }), { workflow: 'parts', params: { gone: `${trawl.site.url}/gone.html` } })
  await trawl.done(id)
  const { never, ...steps } = parts.steps
  assert.ok(never)
  await trawl.api('PUT', 'api/workflows/parts', { ...parts, steps })
  const page = await browse(context, trawl)
  await page.goto(`${trawl.url}tasks/${id}`)
  await page.getByRole('region', { name: 'Steps' }).getByRole('link', { name: 'Diagram' }).focus()
  await page.keyboard.press('Enter')
  await page.waitForURL(`${trawl.url}tasks/${id}/run`)
  await stands(page, 'never', 'Skipped')
  await box(page, 'source').focus()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Step source' }).getByText('As the workflow says').waitFor()
  await page.keyboard.press('Escape')
  // Closed before its definition has come.
  let answer
  await page.route('**/api/workflows/parts/revisions/*', async (route) => {
    await new Promise((open) => (answer = open))
    await route.continue()
  })
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await box(page, 'source').focus()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Step source' }).waitFor()
  await until('the definition is asked for', () => answer)
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  const came = page.waitForResponse('**/api/workflows/parts/revisions/*')
  answer()
  await came
  await page.unroute('**/api/workflows/parts/revisions/*')
  // The steps are there without the definition.
  await page.route('**/api/workflows/parts/revisions/*', (route) => route.fulfill({ status: 404, contentType: 'application/json', body: '{"code":"unknown_workflow","detail":"There is none","hint":"Look"}' }))
  await page.reload()
  await page.getByText('there is no diagram').waitFor()
  await page.getByRole('region', { name: 'Steps' }).getByText('Failed').waitFor()
  await page.goto(`${trawl.url}tasks/99/run`)
  await page.getByRole('heading', { name: 'This task is gone' }).waitFor()
})

test('a run that is wider than its place shows what has failed, and that there is more', async (context) => {
  const trawl = await daemon(context)
  const names = ['one', 'two', 'three', 'four', 'five', 'six']
  const at = (link, more) => ({ use: 'resolve', with: { link }, on_error: 'continue', ...more })
  await trawl.api('POST', 'api/workflows', {
    dsl: 1,
    name: 'wide',
    params: { link: { type: 'url' }, gone: { type: 'url' } },
    steps: { source: at('${params.link}'), ...Object.fromEntries(names.map((name) => [name, at(name === 'five' ? '${params.gone}' : '${params.link}', { after: ['source'] })])) },
  })
  const id = await trawl.task(trawl.site.page('talk', { title: 'A talk' }), { workflow: 'wide', params: { gone: `${trawl.site.url}/gone.html` } })
  await trawl.done(id)
  for (const [width, height] of [[1280, 800], [390, 844]]) {
    const page = await browse(context, trawl, { viewport: { width, height } })
    await page.goto(`${trawl.url}tasks/${id}/run`)
    await stands(page, 'five', 'Failed')
    const place = page.locator('.scroll')
    await until('what has failed is in view', () => box(page, 'five').evaluate((node) => {
      const [at, within] = [node.getBoundingClientRect(), node.closest('.scroll').getBoundingClientRect()]
      return at.left >= within.left && at.right <= within.right
    }))
    const fades = () => place.evaluate((node) => [node.matches('.before'), node.matches('.behind')])
    await until('there is more', async () => (await fades()).includes(true))
    // Who scrolls stays there.
    await place.evaluate((node) => (node.scrollLeft = 0))
    await until('there is more behind only', async () => JSON.stringify(await fades()) === '[false,true]')
    await place.evaluate((node) => (node.scrollLeft = node.scrollWidth))
    await until('there is more before only', async () => JSON.stringify(await fades()) === '[true,false]')
    await page.axe()
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
  }
})
