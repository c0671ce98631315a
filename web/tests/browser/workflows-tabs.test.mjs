// A workflow that is edited in more than one place at once: nothing is overwritten unseen, and nothing typed is lost.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browse, daemon, until } from './harness.mjs'

const words = (title) => ({
  dsl: 1,
  name: 'words',
  title,
  params: { link: { type: 'url' } },
  steps: { source: { use: 'resolve', with: { link: '${params.link}' } } },
  output: { title: '${steps.source.output.title}' },
})
const stored = async (trawl) => {
  const { revision, definition } = await trawl.api('GET', 'api/workflows/words')
  return [revision, definition.title]
}
const editor = (page) => page.getByRole('textbox', { name: 'Definition (JSON)' })
const save = (page, revision) => page.getByRole('button', { name: `Save as revision ${revision}` })
const dialog = (page) => page.getByRole('dialog')

async function open(context, trawl, options) {
  const page = await browse(context, trawl, options)
  await page.goto(`${trawl.url}workflows/words`)
  await editor(page).waitFor()
  await page.locator('#problems-title').getByText('None').waitFor()
  return page
}

async function type(page, title) {
  await editor(page).focus()
  await page.keyboard.press('Control+a')
  await page.keyboard.insertText(JSON.stringify(words(title), null, 2))
  await until('it can be saved', () => page.getByRole('button', { name: /^Save as revision/ }).isEnabled())
}

test('of two tabs with the same workflow the later one sees both texts before it saves', async (context) => {
  const trawl = await daemon(context)
  await trawl.api('POST', 'api/workflows', words('First'))
  const a = await open(context, trawl)
  const b = await open(context, trawl, { context: a.context() })
  await type(a, 'From A')
  await type(b, 'From B')
  await a.getByText('is being edited in another tab, too').waitFor()

  await save(a, 2).click()
  await until('A has saved', async () => (await stored(trawl))[0] === 2)
  // B knows it without being asked, and keeps what was typed.
  await b.getByText('Revision 2 has been saved since you began with revision 1.').waitFor()
  await b.axe()
  await save(b, 3).click()
  await dialog(b).getByText('Somebody else has saved meanwhile').waitFor()
  await dialog(b).getByText('"title": "From A"').waitFor()
  await dialog(b).getByText('"title": "From B"').waitFor()
  assert.deepEqual(await stored(trawl), [2, 'From A'])

  // Not now: after a reload it is still B's text, and still asked about.
  await b.keyboard.press('Escape')
  await b.reload()
  await until('the text of this tab is there', async () => (await editor(b).textContent()).includes('From B'))
  await b.getByText('Revision 2 has been saved since you began with revision 1.').waitFor()
  await until('it can be saved', () => save(b, 3).isEnabled())
  await save(b, 3).click()
  await dialog(b).getByText('Somebody else has saved meanwhile').waitFor()
  await dialog(b).getByRole('button', { name: 'Save as revision 3' }).click()
  await dialog(b).waitFor({ state: 'hidden' })
  assert.deepEqual(await stored(trawl), [3, 'From B'])

  // A has nothing of its own any more: it follows.
  await until('A shows what is stored', async () => (await editor(a).textContent()).includes('From B'))
  await a.getByText('Revision 3', { exact: false }).first().waitFor()
  assert.ok(await save(a, 4).isDisabled())
})

test('another one’s revision can be taken in place of one’s own; who comes back to the page sees it first', async (context) => {
  const trawl = await daemon(context)
  await trawl.api('POST', 'api/workflows', words('First'))
  const page = await open(context, trawl)
  // Nothing typed: the newest is shown when somebody comes back.
  await trawl.api('PUT', 'api/workflows/words', words('Second'))
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  await until('the newest is shown', async () => (await editor(page).textContent()).includes('Second'))
  // Something typed: it stays, and the note says so.
  await type(page, 'Mine')
  await trawl.api('PUT', 'api/workflows/words', words('Third'))
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  await page.getByText('Revision 3 has been saved since you began with revision 2.').waitFor()
  assert.ok((await editor(page).textContent()).includes('Mine'))
  await page.getByRole('button', { name: 'Compare' }).click()
  await dialog(page).getByText('"title": "Third"').waitFor()
  await dialog(page).getByRole('button', { name: 'Take revision 3 and drop mine' }).click()
  await until('theirs is shown', async () => (await editor(page).textContent()).includes('Third'))
  assert.equal(await page.getByText('has been saved since you began').count(), 0)
  assert.deepEqual(await stored(trawl), [3, 'Third'])
})

test('who saves in the very moment between looking and saving is told, and both are there', async (context) => {
  const trawl = await daemon(context)
  await trawl.api('POST', 'api/workflows', words('First'))
  const page = await open(context, trawl)
  await type(page, 'Mine')
  await page.route('**/api/workflows/words', async (route) => {
    if (route.request().method() === 'PUT') await trawl.api('PUT', 'api/workflows/words', words('Theirs'))
    await route.continue()
  })
  await save(page, 2).click()
  await page.getByText('Revision 2 was saved in the same moment.').waitFor()
  assert.deepEqual(await stored(trawl), [3, 'Mine'])
  await page.getByRole('link', { name: 'Compare' }).click()
  await page.getByRole('heading', { name: 'From revision 2 to 3' }).waitFor()
  await page.getByText('"title": "Theirs"').waitFor()
})
