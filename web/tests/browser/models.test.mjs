import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browse, daemon, until } from './harness.mjs'
import { mirror } from './mirror.mjs'

const MODEL = 'tiny-q5_1'
const row = (page, name = MODEL) => page.locator(`li[data-model="${name}"]`)
/** A daemon without a model: it fetches the one that tasks get as soon as it starts, so `source` is told before what it sends. */
const empty = async (context, prepare = () => undefined) => {
  const source = await mirror(context)
  const prepared = prepare(source)
  const settings = `models.default = "${MODEL}"\nmodels.base_urls = ["${source.url}"]`
  return { source, prepared, trawl: await daemon(context, { models: false, offline: false, settings }) }
}

test('without a model a task waits; the download shows, stops, goes on, and then the task runs', async (context) => {
  const { source, prepared: open, trawl } = await empty(context, (source) => source.hold(2_000_000))
  const page = await browse(context, trawl)
  const id = await trawl.task(trawl.site.page('a', { title: 'It waits' }))
  await page.goto(`${trawl.url}models`)
  await page.getByText('No model is here yet').waitFor()
  await row(page).getByText(/2(\.0)? MB of 7\.7 MB/).waitFor()
  const part = Number(await row(page).getByRole('progressbar').getAttribute('aria-valuenow'))
  assert.ok(part > 20 && part < 40, `${part} %`)
  await page.axe()
  await row(page).getByRole('button', { name: 'Cancel' }).click()
  const more = row(page).getByRole('button', { name: `Go on with the download of ${MODEL}` })
  await more.waitFor()
  await row(page).getByText(/2(\.0)? MB are here/).waitFor()
  assert.equal((await trawl.api('GET', `api/tasks/${id}`)).result, null)
  await more.click()
  await row(page).getByRole('progressbar').waitFor()
  open()
  await page.locator('.toast', { hasText: `${MODEL} is here. Tasks that waited for it go on.` }).waitFor()
  await page.locator('h2:has-text("Installed") + ul').getByText(MODEL, { exact: true }).waitFor()
  assert.equal((await trawl.done(id)).status, 'completed')
  assert.equal(source.starts[0], 0)
  assert.ok(source.starts.at(-1) >= 2_000_000, `it went on at ${source.starts}`)
})

test('a download that turns out wrong says so in words, and the next one is whole', async (context) => {
  const { trawl } = await empty(context, (source) => (source.wrong = 1))
  const page = await browse(context, trawl)
  await page.goto(`${trawl.url}models`)
  const alert = row(page).getByRole('alert')
  await alert.waitFor()
  assert.match(await alert.innerText(), new RegExp(`${MODEL} was not downloaded[^]*model_pull`))
  await page.axe()
  await row(page).getByRole('button', { name: /Download|Go on/ }).click()
  await row(page).getByText('On the disk').waitFor()
  assert.equal(await alert.count(), 0)
})

test('a model is loaded, works, is unloaded and deleted, by keys alone', async (context) => {
  const { trawl } = await empty(context)
  await until('it is here', async () => (await trawl.api('GET', `api/models/${MODEL}`)).present)
  const page = await browse(context, trawl)
  await page.goto(`${trawl.url}models`)
  const press = async (name, key = 'Enter') => {
    const button = page.getByRole('button', { name, exact: true })
    await button.focus()
    await page.keyboard.press(key)
  }
  await press(`Load ${MODEL} into memory`)
  await row(page).getByText('In memory on cpu').waitFor({ timeout: 60_000 })
  const engine = page.locator('li[data-engine="cpu"]')
  await engine.getByText(MODEL).waitFor()
  await engine.getByText('0 of 1 busy').waitFor()
  await engine.getByText('0 restarts').waitFor()
  await page.locator('li[data-device="cpu"]').getByText(/in use, up to .* of /).waitFor()
  await page.locator('li[data-node]').getByText('Ready').waitFor()
  await press(`Unload ${MODEL}`, ' ')
  await row(page).getByText('On the disk').waitFor()
  await press(`Delete ${MODEL}`)
  const dialog = page.getByRole('dialog')
  await dialog.getByText('It can be downloaded again').waitFor()
  await page.axe()
  await page.keyboard.press('Escape')
  assert.equal((await trawl.api('GET', `api/models/${MODEL}`)).present, true)
  await press(`Delete ${MODEL}`)
  await dialog.getByRole('button', { name: 'Delete', exact: true }).focus()
  await page.keyboard.press('Enter')
  await page.getByText('No model is here yet').waitFor()
  assert.equal((await trawl.api('GET', `api/models/${MODEL}`)).present, false)
})

test('a daemon that downloads nothing says why; who may only read sees everything and changes nothing', async (context) => {
  const trawl = await daemon(context, { settings: 'auth.mode = "on"' })
  const [, reader] = [await trawl.token('admin'), await trawl.token('read')]
  const page = await browse(context, trawl)
  await page.goto(`${trawl.url}models`)
  await page.getByLabel('Access token').fill(await trawl.token('admin'))
  await page.keyboard.press('Enter')
  await row(page).getByRole('button', { name: `Download ${MODEL}` }).click()
  await row(page).getByRole('alert').getByText('models.offline').first().waitFor()

  const other = await browse(context, trawl)
  await other.goto(`${trawl.url}models`)
  await other.getByLabel('Access token').fill(reader)
  await other.keyboard.press('Enter')
  await other.getByText('needs a token with the right “admin”').waitFor()
  await row(other, 'smoke-q8_0').getByText('On the disk').waitFor()
  assert.equal(await other.locator('main').getByRole('button').count(), 0)
})

test('the page holds on a phone, in three languages and both themes', async (context) => {
  const trawl = await daemon(context)
  for (const locale of ['en-GB', 'zh-CN', 'zh-TW']) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await browse(context, trawl, { locale, colorScheme, viewport: { width: 390, height: 844 } })
      await page.goto(`${trawl.url}models`)
      await row(page).waitFor()
      await page.axe()
      for (const width of [390, 320]) {
        await page.setViewportSize({ width, height: 800 })
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${locale} at ${width}`)
      }
    }
  }
})
