// Schedules on the page: their times as the daemon works them out, and what came of them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browse, daemon, until } from './harness.mjs'

// On the 28th clocks in Berlin go from 02:00 to 03:00: half past two does not come.
const spring = { cron: '30 2 26-30 3 *', tz: 'Europe/Berlin' }
const DAY = 86_400_000

async function open(context, path = 'schedules', options = {}) {
  const trawl = await daemon(context)
  const page = await browse(context, trawl, { timezoneId: 'America/New_York', ...options })
  await page.goto(trawl.url + path)
  return { trawl, page }
}
const dialog = (page) => page.getByRole('dialog')
const times = (where) => where.locator('td time').evaluateAll((all) => all.map((time) => time.getAttribute('datetime')))
const row = (page, state) => page.getByRole('list', { name: 'Past runs' }).getByRole('listitem').filter({ hasText: state })

test('the next five times are the daemon’s, by the clock of the zone and by the clock here, also where clocks are changed', async (context) => {
  const { trawl, page } = await open(context)
  const expected = (await trawl.api('POST', 'api/schedules/preview', spring)).times
  assert.equal(expected.length, 5)
  await page.getByRole('button', { name: 'New schedule' }).click()
  const form = dialog(page)
  await form.getByLabel('Pattern (cron)').fill(spring.cron)
  await form.getByLabel('Time zone').fill(spring.tz)
  await until('the times are those of the pattern', async () => JSON.stringify(await times(form)) === JSON.stringify(expected))

  const clock = (zone) => (time) => new Date(time).toLocaleTimeString('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' })
  const shown = async (column) => (await form.locator(`tbody td:nth-child(${column})`).allTextContents()).map((text) => /\d\d:\d\d/.exec(text)[0])
  assert.deepEqual(await shown(1), expected.map(clock(spring.tz)))
  assert.deepEqual(await shown(2), expected.map(clock('America/New_York')))
  const change = form.locator('tbody tr').filter({ hasText: 'clocks are changed before this' })
  assert.equal(await change.count(), 1)
  assert.match(await change.textContent(), /03:00.*GMT\+2/)

  await form.getByLabel('link (required)').fill(trawl.site.page('talk'))
  await form.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('link', { name: 'transcribe', exact: true }).click()
  await page.waitForURL(/schedules\/1$/)
  await page.getByRole('heading', { name: 'Next five times' }).waitFor()
  assert.deepEqual(await times(page.locator('main')), expected)
  assert.deepEqual((await trawl.api('GET', 'api/schedules/1')).next, expected)
})

test('a pattern or a zone that is wrong says so at its field, and is not saved', async (context) => {
  const { trawl, page } = await open(context)
  await page.getByRole('button', { name: 'New schedule' }).click()
  const form = dialog(page)
  await form.getByLabel('link (required)').fill('https://example.com/x.mp3')
  await form.getByLabel('Pattern (cron)').fill('61 * * * *')
  await until('the pattern is marked', async () => (await form.getByLabel('Pattern (cron)').getAttribute('aria-invalid')) === 'true')
  await form.getByText('No times: the pattern or the zone is not right yet.').waitFor()
  // In the page's own words, with an example.
  await form.getByText('go from 0 to 59, so not 61.').waitFor()
  await form.getByText('*/15 * * * *').waitFor()
  await form.getByLabel('Pattern (cron)').fill('0 8 * *')
  await form.getByText('A pattern has five fields with blanks between them, this one 4.').waitFor()
  await form.getByLabel('Pattern (cron)').fill('0 0 30 2 *')
  await form.getByText('There is no such day').waitFor()
  await form.getByRole('button', { name: 'Save' }).click()
  await form.getByLabel('Begin with').selectOption('hourly')
  await until('there are times again', async () => (await times(form)).length === 5)
  assert.equal(await form.getByLabel('Pattern (cron)').inputValue(), '0 * * * *')
  await form.getByLabel('Time zone').fill('Mars/Olympus')
  await until('the zone is marked', async () => (await form.getByLabel('Time zone').getAttribute('aria-invalid')) === 'true')
  await form.getByLabel('Time zone').fill('Europe/Belin')
  await form.getByText('Did you mean Europe/Berlin?').waitFor()
  assert.equal((await trawl.api('GET', 'api/schedules')).total, 0)
})

test('a schedule runs now, pauses, resumes, and tells what came of each fire', async (context) => {
  const { trawl, page } = await open(context)
  const link = trawl.site.page('talk')
  await trawl.api('POST', 'api/schedules', { ...spring, workflow: 'transcribe', params: { link }, overlap: 'queue', catchup: 'all' })
  await page.goto(`${trawl.url}schedules/1`)
  await page.getByText('While the task before still runs, one waits for its end; more than one do not.').waitFor()
  await page.getByText('All times that pass while nothing can start are made up for, the newest 100 at most.').waitFor()
  const release = trawl.site.gate()
  await page.getByRole('button', { name: 'Run now' }).click()
  await row(page, 'Running').getByRole('link', { name: 'task 1' }).waitFor()
  release()
  await row(page, 'Done').waitFor()

  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByRole('menuitem', { name: 'Until I resume it' }).click()
  await page.getByText('None while it is paused.').waitFor()
  assert.equal((await trawl.api('GET', 'api/schedules/1')).state, 'paused')
  await page.getByRole('button', { name: 'Resume' }).click()
  await until('there are times again', async () => (await times(page.locator('main'))).length === 5)

  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByRole('menuitem', { name: 'Until a time…' }).click()
  await dialog(page).getByLabel('Until').fill('2020-01-01T00:00')
  await dialog(page).getByText('That time has passed.').waitFor()
  const until_ = new Date(Math.ceil(Date.now() / DAY + 2) * DAY)
  const local = until_.toLocaleString('sv-SE', { timeZone: 'America/New_York' }).slice(0, 16).replace(' ', 'T')
  await dialog(page).getByLabel('Until').fill(local)
  await dialog(page).getByRole('button', { name: 'Pause' }).click()
  await page.getByText(/^Paused until /).waitFor()
  const stored = await trawl.api('GET', 'api/schedules/1')
  assert.deepEqual([stored.state, Date.parse(stored.paused_until)], ['active', until_.getTime()])
  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByText('Active', { exact: true }).waitFor()
})

test('failures in a row are counted where one looks', async (context) => {
  const { trawl, page } = await open(context)
  await trawl.api('POST', 'api/schedules', { ...spring, name: 'Broken', workflow: 'transcribe', params: { link: `${trawl.site.url}/gone.html` } })
  await page.goto(`${trawl.url}schedules/1`)
  for (const streak of ['Failed once', 'Failed 2 times in a row']) {
    await page.getByRole('button', { name: 'Run now' }).click()
    await page.getByText(streak).waitFor()
  }
  await until('both are listed', async () => (await row(page, 'Failed').count()) === 2)
  await page.goto(`${trawl.url}schedules`)
  await page.getByText('Failed 2 times in a row').waitFor()
})

test('a schedule is made, changed and deleted from the keyboard alone', async (context) => {
  const { trawl, page } = await open(context)
  const press = async (name, role = 'button') => {
    await page.getByRole(role, { name }).focus()
    await page.keyboard.press('Enter')
  }
  await press('New schedule')
  const form = dialog(page)
  await form.getByLabel('link (required)').focus()
  await page.keyboard.type('https://example.com/news.mp3')
  await form.getByLabel('Time zone').focus()
  await page.keyboard.press('Control+a')
  await page.keyboard.type('Asia/Shanghai')
  await form.getByText('Asia/Shanghai').waitFor()
  await form.getByLabel('Name', { exact: true }).focus()
  await page.keyboard.type('Morning')
  await page.keyboard.press('Enter')
  await form.waitFor({ state: 'hidden' })
  await press('Morning', 'link')
  await page.waitForURL(/schedules\/1$/)
  const made = await trawl.api('GET', 'api/schedules/1')
  assert.deepEqual([made.name, made.tz, made.params], ['Morning', 'Asia/Shanghai', { link: 'https://example.com/news.mp3' }])

  await press('Edit')
  assert.equal(await form.getByLabel('link (required)').inputValue(), 'https://example.com/news.mp3')
  await form.getByLabel('Pattern (cron)').focus()
  await page.keyboard.press('Control+a')
  await page.keyboard.type('15 7 * * *')
  await until('the times are those of the pattern', async () => (await form.locator('td').first().textContent()).includes('07:15'))
  await page.keyboard.press('Enter')
  await form.waitFor({ state: 'hidden' })
  await page.getByText('15 7 * * *').waitFor()
  await press('Delete')
  await form.getByRole('button', { name: 'Delete' }).focus()
  await page.keyboard.press('Enter')
  await page.getByText('Nothing starts by the clock yet.').waitFor()
  assert.equal((await trawl.api('GET', 'api/schedules')).total, 0)
})

test('what stands in a workflow’s definition can be paused here, and no more', async (context) => {
  const { trawl, page } = await open(context)
  const { definition } = await trawl.api('GET', 'api/workflows/transcribe')
  await trawl.api('POST', 'api/workflows', { ...definition, name: 'nightly', triggers: [{ ...spring, params: { link: 'https://example.com/x.mp3' } }] })
  await page.goto(`${trawl.url}schedules/1`)
  await page.getByText('It stands in a workflow’s definition').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Delete' }).count(), 0)
  await page.getByRole('button', { name: 'Edit' }).click()
  assert.equal(await dialog(page).getByLabel('Pattern (cron)').count(), 0)
  await dialog(page).getByLabel('Tell this address').fill(trawl.site.hook)
  await dialog(page).getByLabel('After so many failures in a row').fill('3')
  await dialog(page).getByRole('button', { name: 'Save' }).click()
  await page.getByText(`After 3 failures in a row ${trawl.site.hook} is told.`).waitFor()
  await page.goto(`${trawl.url}workflows/nightly/triggers`)
  await page.getByRole('link', { name: /30 2 26-30 3 \* Europe\/Berlin/ }).waitFor()
})
