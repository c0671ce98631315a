// Lists that are followed, and how the pages of schedules and sources look.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { browse, daemon, until } from './harness.mjs'

/** A podcast whose episodes are clips of the test's own site; `.broken` makes it fail. */
async function podcast(context, trawl) {
  const radio = { episodes: [], broken: false, title: 'Radio' }
  const server = createServer((_, response) => {
    if (radio.broken) return response.writeHead(404).end()
    const items = radio.episodes.map((number) =>
      `<item><title>Episode ${number}</title><guid>episode-${number}</guid><pubDate>0${number} Jan 2026 08:00:00 GMT</pubDate>` +
      `<enclosure url="${trawl.site.url}/en-known-04.flac?${number}" type="audio/flac"/></item>`)
    response.writeHead(200, { 'content-type': 'application/rss+xml' })
    response.end(`<rss version="2.0"><channel><title>${radio.title}</title>${items.join('')}</channel></rss>`)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => new Promise((resolve) => {
    server.closeAllConnections()
    server.close(resolve)
  }))
  radio.link = `http://127.0.0.1:${server.address().port}/feed.xml`
  return radio
}

const items = (page) => page.getByRole('list', { name: 'Posts that were seen' }).getByRole('listitem')
const dialog = (page) => page.getByRole('dialog')

test('a feed is followed, looked at, paused, changed, given a time table and forgotten', async (context) => {
  const trawl = await daemon(context)
  const radio = await podcast(context, trawl)
  radio.episodes = [2, 1]
  const page = await browse(context, trawl)
  await page.goto(`${trawl.url}sources`)
  await page.getByRole('button', { name: 'Follow a list' }).first().click()
  await dialog(page).getByRole('button', { name: 'Follow a list' }).click()
  await dialog(page).getByText('This is needed.').waitFor()
  await dialog(page).getByLabel('Link').fill(radio.link)
  await dialog(page).getByLabel('Posts that are there already').selectOption('count')
  await dialog(page).getByLabel('How many').fill('501')
  await dialog(page).getByText('A whole number up to 500, please.').waitFor()
  await dialog(page).getByLabel('How many').fill('1')
  await dialog(page).getByLabel('When it is looked at').selectOption({ label: 'Only by hand' })
  await dialog(page).getByRole('button', { name: 'Follow a list' }).click()
  await page.waitForURL(/sources\/1$/)
  await page.getByText('It is looked at only when somebody asks').waitFor()
  await page.getByRole('heading', { name: '2 posts seen' }).waitFor()
  await items(page).filter({ hasText: 'Episode 1' }).getByText('Only seen').waitFor()
  await items(page).filter({ hasText: 'Episode 2' }).getByText('Done').waitFor()

  radio.episodes = [3, 2, 1]
  await page.getByRole('button', { name: 'Look now' }).click()
  await page.locator('main').getByText('1 new · 2 seen before').waitFor()
  await items(page).filter({ hasText: 'Episode 3' }).getByText('Done').waitFor()

  radio.broken = true
  for (const streak of ['Failed once', 'Failed 2 times in a row']) {
    await page.getByRole('button', { name: 'Look now' }).click()
    await page.getByText(streak).waitFor()
  }
  await page.getByText('The last look broke off').waitFor()
  await page.axe()
  await page.goto(`${trawl.url}sources`)
  await page.getByText('Failed 2 times in a row').waitFor()
  radio.broken = false
  await page.getByRole('link', { name: 'Radio' }).click()
  await page.getByRole('button', { name: 'Look now' }).click()
  await page.getByText('The last look broke off').waitFor({ state: 'detached' })

  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByText('Paused', { exact: true }).waitFor()
  assert.equal((await trawl.api('GET', 'api/sources/1')).state, 'paused')
  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByText('Paused', { exact: true }).waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Edit' }).click()
  await dialog(page).getByLabel('Title').fill('My radio')
  await dialog(page).getByLabel('Pages at a time').fill('3')
  await dialog(page).getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'My radio' }).waitFor()
  await page.getByText('Reads up to 3 pages at a time').waitFor()

  await page.getByRole('button', { name: 'New schedule' }).click()
  await dialog(page).getByLabel('Begin with').selectOption('six-hours')
  await dialog(page).locator('td time').nth(4).waitFor()
  await dialog(page).getByRole('button', { name: 'Save' }).click()
  await page.getByText('It is looked at only when somebody asks').waitFor({ state: 'detached' })
  await page.getByRole('link', { name: '0 */6 * * * UTC' }).click()
  await page.getByText('Looks at').waitFor()
  await page.getByRole('button', { name: 'Run now' }).click()
  await page.getByRole('list', { name: 'Past runs' }).getByText('0 new').waitFor()
  // Back to all of them, and on to the list that is looked at.
  await page.locator('main').getByRole('link', { name: 'Schedules' }).click()
  await page.getByRole('link', { name: 'Source 1' }).click()
  await page.getByRole('link', { name: 'My radio' }).click()
  await page.getByRole('button', { name: 'Delete' }).click()
  await dialog(page).getByRole('button', { name: 'Delete' }).click()
  await page.getByText('No list is followed yet').waitFor()
  assert.equal((await trawl.api('GET', 'api/sources')).total, 0)
})

test('a followed list is looked at by the clock from the beginning; without its schedule it stays, and says so', async (context) => {
  const trawl = await daemon(context)
  const radio = await podcast(context, trawl)
  const page = await browse(context, trawl, { timezoneId: 'Asia/Shanghai' })
  const follow = async (link) => {
    await page.goto(`${trawl.url}sources`)
    await page.getByRole('button', { name: 'Follow a list' }).first().click()
    await dialog(page).getByLabel('Link').fill(link)
    await dialog(page).getByLabel('When it is looked at').selectOption({ label: 'Every hour' })
    await dialog(page).getByRole('button', { name: 'Follow a list' }).click()
  }
  await follow(radio.link)
  await page.getByRole('link', { name: '0 * * * * Asia/Shanghai' }).waitFor()
  const [made] = (await trawl.api('GET', 'api/schedules')).items
  assert.deepEqual([made.source_id, made.name, made.state], [1, 'Radio', 'active'])

  let refused = 0
  const refuse = (route) => {
    refused += 1
    return route.fulfill({ status: 409, contentType: 'application/json', body: '{"code":"conflict","detail":"There can be no more","hint":"Delete some."}' })
  }
  await page.route('**/api/schedules', (route) => (route.request().method() === 'POST' ? refuse(route) : route.continue()))
  await follow(radio.link.replace('feed', 'other'))
  await dialog(page).getByText('The list is followed, but nothing looks at it by itself yet').waitFor()
  await dialog(page).getByText('There can be no more').waitFor()
  assert.equal((await trawl.api('GET', 'api/sources')).total, 2)
  await page.axe()
  // Once more asks for the schedule alone; who gives it up is shown the list and what is missing.
  await dialog(page).getByRole('button', { name: 'Make the schedule' }).click()
  await until('it is refused again', () => refused === 2)
  await dialog(page).getByText('There can be no more').waitFor()
  await page.keyboard.press('Escape')
  await page.waitForURL(/sources\/2$/)
  await page.getByText('It is looked at only when somebody asks').waitFor()
  assert.equal((await trawl.api('GET', 'api/sources')).total, 2)
  await page.axe()
})

test('a title from a stranger stays text', async (context) => {
  const trawl = await daemon(context)
  const radio = await podcast(context, trawl)
  radio.title = '&lt;img src=x onerror="globalThis.pwned = 1"&gt;'
  await trawl.api('POST', 'api/sources', { link: radio.link, backfill: 'none' })
  const page = await browse(context, trawl)
  await page.goto(`${trawl.url}sources/1`)
  await page.getByRole('heading', { level: 1, name: /img/ }).waitFor()
  assert.equal(await page.locator('main img').count(), 0)
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined)
})

test('addresses of before lead to where things stand now', async (context) => {
  const trawl = await daemon(context)
  const radio = await podcast(context, trawl)
  await trawl.api('POST', 'api/sources', { link: radio.link, backfill: 'none' })
  await trawl.api('POST', 'api/schedules', { cron: '0 */6 * * *', tz: 'UTC', source_id: 1, name: 'Six hours' })
  const page = await browse(context, trawl)
  for (const [old, now, heading] of [['schedules?id=1', 'schedules/1', 'Six hours'], ['schedules?view=sources&id=1', 'sources/1', 'Radio']]) {
    await page.goto(trawl.url + old)
    await page.waitForURL(trawl.url + now)
    await page.getByRole('heading', { name: heading }).waitFor()
  }
  await page.goto(`${trawl.url}schedules?view=sources`)
  await page.waitForURL(`${trawl.url}sources`)
  await page.getByRole('navigation', { name: 'Main' }).locator('[aria-current="true"]', { hasText: 'Schedules' }).waitFor()
  // Who goes on by keyboard begins where the new part does.
  await page.getByRole('link', { name: 'Radio' }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Radio' }).waitFor()
  await page.locator('#main:focus').waitFor()
})

test('every page can be used by everybody, in both themes, on phones, in every language', async (context) => {
  const trawl = await daemon(context)
  const radio = await podcast(context, trawl)
  radio.episodes = [1]
  await trawl.api('POST', 'api/sources', { link: radio.link, backfill: 'none' })
  await trawl.api('POST', 'api/schedules', { cron: '0 */6 * * *', tz: 'America/Argentina/ComodRivadavia', source_id: 1, name: 'AlongNameWithoutAnyBlanksInItThatNobodyWouldEverChooseForASchedule' })
  await trawl.api('POST', 'api/schedules/1/run')
  const paths = ['schedules', 'schedules/1', 'sources', 'sources/1']
  for (const [locale, colorScheme] of [['en-GB', 'light'], ['zh-CN', 'dark'], ['zh-TW', 'light']]) {
    const page = await browse(context, trawl, { locale, colorScheme, viewport: { width: 390, height: 844 } })
    for (const path of paths) {
      await page.goto(trawl.url + path)
      await page.locator('main').locator('.skeleton').waitFor({ state: 'detached' })
      await page.locator('main').locator('ul').first().waitFor()
      await page.axe()
      for (const width of [1280, 390, 320]) {
        await page.setViewportSize({ width, height: 844 })
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} in ${locale} at ${width}`)
      }
    }
    await page.goto(`${trawl.url}schedules`)
    await page.locator('main button').first().click()
    await page.getByRole('dialog').locator('td time').nth(4).waitFor()
    await page.axe()
    assert.ok(await page.evaluate(() => document.querySelector('dialog[open]').scrollWidth <= innerWidth), `the form in ${locale}`)
  }
})
