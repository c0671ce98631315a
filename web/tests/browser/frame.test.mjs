import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browse, daemon } from './harness.mjs'

const places = ['', 'workflows', 'schedules', 'models', 'settings']

test('every place is reached by its link and by its address, and nothing is asked elsewhere', async (context) => {
  const trawl = await daemon(context)
  const page = await browse(context, trawl)
  await page.goto(trawl.url)
  for (const place of places) {
    await page.locator(`nav a[href="${place || './'}"]`).click()
    await page.waitForURL(`${trawl.url}${place}`)
    await page.locator('h1').first().waitFor()
  }
  for (const place of [...places, 'tasks/1', 'workflows/transcribe', 'settings/tokens']) {
    await page.goto(trawl.url + place)
    await page.locator('main h1, main [role=alert]').first().waitFor()
    assert.equal(new URL(page.url()).href, trawl.url + place)
  }
})

test('the frame holds on a phone and at four times the size, in every language and both themes', async (context) => {
  const trawl = await daemon(context)
  for (const [locale, lang] of [['en-GB', 'en'], ['zh-CN', 'zh-CN'], ['zh-TW', 'zh-TW']]) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await browse(context, trawl, { locale, colorScheme, viewport: { width: 390, height: 844 } })
      await page.goto(trawl.url)
      await page.locator('h1').waitFor()
      assert.equal(await page.locator('html').getAttribute('lang'), lang)
      await page.axe()
      for (const width of [390, 320]) {
        await page.setViewportSize({ width, height: 800 })
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${locale} at ${width}`)
      }
    }
  }
})
