// How the pages of workflows look: for people who cannot see them well, on phones, in other languages, and how much they load.

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { browse, daemon, root } from './harness.mjs'

const definition = {
  dsl: 1,
  name: 'all-of-it',
  title: 'Everything that a diagram can show',
  params: { link: { type: 'url' }, tags: { type: 'array', default: [] }, loud: { type: 'boolean', default: false }, n: { type: 'integer', default: 3 } },
  triggers: [
    { cron: '0 */6 * * *', tz: 'Asia/Shanghai', params: { link: 'https://example.com/feed' } },
    { event: 'media.created', when: "event.media.platform == 'podcast'", params: { link: 'media:${event.media.id}' } },
  ],
  steps: {
    posts: { use: 'resolve', with: { link: '${params.link}', expand: true } },
    each: { use: 'workflow', foreach: { in: 'steps.posts.output.items', as: 'post', parallel: 4 }, with: { name: 'transcribe', params: { link: '${post.url}' } } },
    choice: { use: 'condition', with: { cases: [{ when: 'params.n > 5', value: 'many' }], else: 'few' }, after: ['each'] },
    last: { use: 'subtitle', when: 'params.loud', with: { segments: [], format: 'srt' }, on_error: 'continue', after: ['choice'] },
  },
  on_error: { why: { use: 'condition', with: { cases: [{ when: "task.error.code == 'x'", value: '${params.tags}' }], else: null } } },
  output: { n: '${size(steps.each.output)}', choice: '${steps.choice.output.value}' },
}

const titles = { 'en-GB': 'Paste a link, get the words', 'zh-CN': '粘贴链接，得到文字', 'zh-TW': '貼上連結，得到文字' }
const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)
const pages = ['workflows', 'workflows/all-of-it', 'workflows/all-of-it/runs', 'workflows/all-of-it/triggers', 'workflows/all-of-it/revisions', 'workflows/+new', 'tasks/1/run']

async function shown(page) {
  await page.locator('main h1').first().waitFor()
  await page.locator('main .skeleton').waitFor({ state: 'detached' })
  if (await page.locator('#problems-title').count()) await page.locator('#problems-title').getByText(/[^…]$/).first().waitFor()
}

for (const colorScheme of ['light', 'dark']) {
  test(`every page can be used by everybody: ${colorScheme}`, async (context) => {
    const trawl = await daemon(context)
    await trawl.api('POST', 'api/workflows', definition)
    await trawl.done(await trawl.task(`${trawl.site.url}/gone.html`, { workflow: 'all-of-it' }))
    const page = await browse(context, trawl, { colorScheme })
    for (const path of pages) {
      await page.goto(trawl.url + path)
      await shown(page)
      await page.axe()
    }
    await page.goto(`${trawl.url}workflows/all-of-it`)
    await shown(page)
    await page.getByRole('list', { name: 'When the task has failed' }).getByRole('button').waitFor()
    await page.getByRole('button', { name: 'Run…' }).click()
    await page.axe()
  })
}

test('a phone and four times the size show everything without scrolling sideways, in every language', async (context) => {
  const trawl = await daemon(context)
  await trawl.api('POST', 'api/workflows', definition)
  await trawl.done(await trawl.task(`${trawl.site.url}/gone.html`, { workflow: 'all-of-it' }))
  for (const locale of ['en-GB', 'zh-CN', 'zh-TW']) {
    const page = await browse(context, trawl, { locale, viewport: { width: 390, height: 844 } })
    for (const path of pages) {
      await page.goto(trawl.url + path)
      await shown(page)
      // What comes with trawl has a title in the language of the page.
      if (path === 'workflows') await page.getByText(titles[locale]).waitFor()
      for (const width of [390, 320]) {
        await page.setViewportSize({ width, height: 844 })
        assert.ok(await fits(page), `${path} in ${locale} at ${width}`)
      }
    }
  }
})

test('no part is larger than it may be', async (context) => {
  const folder = join(root, 'web/dist/assets')
  const names = (await readdir(folder)).filter((name) => name.endsWith('.js'))
  const kilobytes = Object.fromEntries(await Promise.all(names.map(async (name) => [name, gzipSync(await readFile(join(folder, name))).length / 1000])))
  const of = (part) => Object.entries(kilobytes).filter(([name]) => name.startsWith(`${part}-`)).reduce((sum, [, size]) => sum + size, 0)
  const sizes = { editor: of('Editor'), diagram: of('Diagram') + of('layout'), workflow: of('Workflow') + of('workflow.svelte') + of('graph') + of('ParamsForm'), schedules: of('Schedules') }
  for (const [part, size] of Object.entries(sizes)) context.diagnostic(`${part}: ${size.toFixed(1)} kB`)
  assert.ok(sizes.editor > 0 && sizes.editor <= 160)
  assert.ok(sizes.diagram > 0 && sizes.workflow > 0 && sizes.workflow + sizes.diagram <= 60)
  assert.ok(sizes.schedules > 0 && sizes.schedules <= 60)
})
