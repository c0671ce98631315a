import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browse, daemon, until } from './harness.mjs'
import { keepUndo } from './undo.mjs'

const box = (page) => page.locator('#paste')
const lines = (page) => page.getByRole('list', { name: 'Tasks' }).getByRole('listitem')

test('a share text and two links are three tasks by one request; a line that is refused stays with its reason', async (context) => {
  const trawl = await daemon(context)
  const page = await browse(context, trawl)
  await page.goto(trawl.url)
  await page.getByText('Nothing here yet').waitFor()
  let posts = 0
  page.on('request', (request) => (posts += request.method() === 'POST' && /\/api\/tasks/.test(request.url()) ? 1 : 0))
  const [a, b, c] = ['a', 'b', 'c'].map((name) => trawl.site.page(name, { title: `Remark ${name}` }))
  await box(page).fill(`7.43 复制打开，看看【读书的猫的作品】聊一聊今年… ${a} 12/04 Rkc:/\n${b}\nno link in here\n${c}`)
  await page.getByText('3 links').waitFor()
  await page.keyboard.press('Control+Enter')
  // The box takes more at once.
  await until('the box is free', async () => (await box(page).inputValue()) !== '' || (await page.locator('.refused').count()) > 0)
  await page.locator('.refused').getByText('no link in here').waitFor()
  assert.equal(await box(page).inputValue(), 'no link in here')
  assert.equal(posts, 1)
  await until('three tasks', async () => (await lines(page).count()) === 3)
  await until('all are done, with their titles', async () => (await lines(page).filter({ hasText: /Remark [abc].*Done in/s }).count()) === 3, 60)
  await page.axe()
})

test('phases and percents are live, and a failure says what to do', async (context) => {
  const trawl = await daemon(context)
  const page = await browse(context, trawl)
  const open = trawl.site.gate()
  await page.goto(trawl.url)
  await page.getByText('Live').waitFor()
  await trawl.task(trawl.site.page('slow', { title: 'A slow one' }))
  await trawl.task(`${trawl.site.url}/missing.html`)
  await lines(page).filter({ hasText: 'A slow one' }).getByText('Downloading').waitFor()
  const failed = lines(page).filter({ hasText: 'missing.html' })
  await failed.locator('.status.failed').waitFor()
  await failed.getByText(/browser/i).waitFor()
  open()
  await lines(page).filter({ hasText: 'A slow one' }).getByText('Done in').waitFor({ timeout: 60_000 })
})

test('filters, search and choices stand in the address', async (context) => {
  const trawl = await daemon(context)
  const page = await browse(context, trawl)
  const good = await trawl.task(trawl.site.page('good', { title: 'Whales sing' }))
  await trawl.task(`${trawl.site.url}/missing.html`)
  await trawl.done(good)
  await page.goto(trawl.url)
  await until('both', async () => (await lines(page).count()) === 2)
  await page.getByRole('button', { name: /^Failed/ }).click()
  await until('one', async () => (await lines(page).count()) === 1)
  assert.equal(new URL(page.url()).search, '?status=failed')
  await page.goBack()
  await until('both again', async () => (await lines(page).count()) === 2)
  await page.keyboard.press('/')
  await page.keyboard.type('whal')
  await until('the one that was looked for', async () => (await lines(page).count()) === 1)
  // What is typed is in the address a moment later.
  await page.waitForURL(/\?q=whal$/)
  await page.reload()
  await lines(page).filter({ hasText: 'Whales sing' }).waitFor()
  assert.equal(await lines(page).count(), 1)
  assert.equal(await page.getByRole('searchbox').inputValue(), 'whal')
  // Where the title does not say why it is there, the row does.
  const word = /[a-z]{5,}/i.exec(await trawl.api('GET', `api/tasks/${good}/transcript?format=txt`))[0]
  await page.getByRole('searchbox').fill(word)
  await lines(page).filter({ hasText: 'Whales sing' }).getByText('Found in what is said').waitFor()
  await page.getByRole('searchbox').fill('nothing like it')
  await page.getByText('No tasks match').waitFor()
  await page.axe()
  await page.getByRole('button', { name: 'Show all' }).click()
  await until('both once more', async () => (await lines(page).count()) === 2)
})

test('many are chosen by keys, deleted, brought back, exported and run again', async (context) => {
  const trawl = await daemon(context)
  const page = await browse(context, trawl)
  await keepUndo(page)
  const ids = []
  for (const name of ['a', 'b', 'c', 'd']) ids.push(await trawl.task(trawl.site.page(name, { title: `Remark ${name}` })))
  for (const id of ids) await trawl.done(id)
  await page.goto(trawl.url)
  await until('four', async () => (await lines(page).filter({ hasText: 'Done in' }).count()) === 4)
  /** One row on: a key that comes next is meant for that row. */
  const down = async (row) => {
    await page.keyboard.press('j')
    await until(`row ${row} has the focus`, () => page.evaluate((row) => document.activeElement?.closest('[data-row]')?.getAttribute('data-row') === String(row), row))
  }
  await down(0)
  await page.keyboard.press('x')
  await down(1)
  await down(2)
  await page.keyboard.press('Shift+X')
  await page.getByText('3 chosen').first().waitFor()
  await page.getByRole('button', { name: 'Delete' }).click()
  await until('one is left', async () => (await lines(page).count()) === 1)
  await page.getByRole('button', { name: 'Undo' }).click()
  await until('four again', async () => (await lines(page).count()) === 4)
  assert.equal((await trawl.api('GET', 'api/tasks')).total, 4)

  await lines(page).nth(0).getByRole('checkbox').click()
  await lines(page).nth(3).getByRole('checkbox').click({ modifiers: ['Shift'] })
  await page.getByText('4 chosen').first().waitFor()
  await page.axe()
  await page.getByRole('button', { name: 'Export zip' }).click()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'srt', exact: true }).click()])
  assert.match(download.suggestedFilename(), /\.zip$/)
  await page.getByRole('button', { name: 'Run again' }).click()
  await until('eight', async () => (await lines(page).count()) === 8)
  // Those that ran again are chosen no longer.
  await page.getByRole('toolbar').waitFor({ state: 'detached' })
  await lines(page).nth(7).getByRole('checkbox').click()
  await page.getByRole('button', { name: 'Delete' }).click()
  await until('seven', async () => (await lines(page).count()) === 7)
  // Closed before its time: it is done when the page is opened again.
  await page.reload()
  await until('it is gone', async () => (await trawl.api('GET', 'api/tasks')).total === 7)
  await until('seven still', async () => (await lines(page).count()) === 7)
})

test('without a model the page says so, and tasks wait for it', async (context) => {
  const trawl = await daemon(context, { models: false, settings: 'models.default = "tiny"' })
  const page = await browse(context, trawl)
  await page.goto(trawl.url)
  await page.getByText(/No model: tiny/).waitFor()
  await trawl.task(trawl.site.page('a', { title: 'One that waits' }))
  await lines(page).filter({ hasText: 'One that waits' }).getByText('Waiting for the model').waitFor()
  // What the page can do is not told as a command; what waits is not called running.
  await lines(page).getByText('Download it on the page Models').waitFor()
  assert.equal(await page.getByRole('button', { name: /^(Running|Waiting)/ }).count(), 0)
  await page.getByRole('button', { name: 'Download' }).click()
  // This daemon reaches nothing: it says so, with what to do.
  await page.getByRole('alert').filter({ hasText: 'The model was not downloaded' }).waitFor()
  await page.axe()
})

test('text from strangers is only text', async (context) => {
  const trawl = await daemon(context)
  const page = await browse(context, trawl)
  const title = `<img src=x onerror=alert(1)><script>alert(2)</script> \u202Egpj.exe`
  await trawl.done(await trawl.task(trawl.site.page('bad', { title })))
  await page.goto(trawl.url)
  await lines(page).filter({ hasText: '<img src=x' }).waitFor()
  assert.equal(await page.locator('main img').count(), 0)
  // A mark that turns the words after it around has no effect, in the list of runs neither.
  assert.doesNotMatch(await lines(page).first().innerText(), /\u202E/)
  await page.goto(`${trawl.url}workflows/transcribe/runs`)
  const run = page.getByRole('link', { name: /<img src=x/ }).first()
  await run.waitFor()
  assert.doesNotMatch(await run.innerText(), /\u202E/)
})

test('a link that was transcribed already is opened, unless it is wanted again', async (context) => {
  const trawl = await daemon(context)
  const page = await browse(context, trawl)
  const link = trawl.site.page('a', { title: 'Done before' })
  await trawl.done(await trawl.task(link))
  await page.goto(trawl.url)
  await box(page).fill(link)
  await page.getByText('1 already done').waitFor()
  await page.axe()
  await page.getByRole('button', { name: 'Again', exact: true }).click()
  await page.getByRole('button', { name: /^Add 1/ }).click()
  await until('two tasks', async () => (await lines(page).count()) === 2)
  await box(page).fill(link)
  await page.getByRole('button', { name: /^Open/ }).click()
  await page.waitForURL(/tasks\/\d+$/)
  assert.equal((await trawl.api('GET', 'api/tasks')).total, 2)
})

test('who may only read is told so, and is asked for nothing that would be refused', async (context) => {
  const trawl = await daemon(context, { settings: 'auth.mode = "on"' })
  const reader = await trawl.token('read')
  const page = await browse(context, trawl)
  await page.goto(trawl.url)
  await page.getByLabel('Access token').fill(reader)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('Your token may look at tasks, but not add any').waitFor()
  assert.equal(await box(page).count(), 0)
  await page.getByText('Nothing here yet.', { exact: true }).waitFor()
  await page.axe()
  await page.goto(`${trawl.url}workflows/transcribe`)
  await page.getByText('your token may not have definitions checked').waitFor()
  assert.equal(await page.getByRole('alert').count(), 0)
})
