// What a workflow asks for beside a link, in the box of the inbox.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browse, daemon, until } from './harness.mjs'

const quote = {
  dsl: 1,
  name: 'quote',
  title: 'Quote it',
  params: {
    link: { type: 'url' },
    speaker: { type: 'string', description: 'Who speaks', max_length: 20 },
    tone: { type: 'string', enum: ['plain', 'proud'], default: 'plain' },
    loud: { type: 'boolean', default: false },
  },
  steps: { source: { use: 'resolve', with: { link: '${params.link}' } }, said: { use: 'condition', after: ['source'], with: { cases: [{ when: 'params.loud', value: '${upper(params.speaker)}' }], else: '${params.speaker}' } } },
  output: { said: '${steps.said.output.value}', tone: '${params.tone}' },
}
const add = {
  dsl: 1,
  name: 'sum',
  params: { a: { type: 'integer' }, b: { type: 'integer', default: 2 } },
  steps: { both: { use: 'condition', with: { cases: [{ when: 'params.a > 0', value: '${params.a + params.b}' }], else: 0 } } },
  output: { sum: '${steps.both.output.value}' },
}

const box = (page) => page.locator('#paste')
const lines = (page) => page.getByRole('list', { name: 'Tasks' }).getByRole('listitem')
const form = (page) => page.getByRole('group', { name: /^What “.*” asks for$/ })
const tasks = async (trawl) => (await trawl.api('GET', 'api/tasks')).items

test('a workflow’s parameters are asked for in the box, what is needed keeps a task from being added, and the values go with it', async (context) => {
  const trawl = await daemon(context)
  await trawl.api('POST', 'api/workflows', quote)
  const page = await browse(context, trawl)
  await page.goto(trawl.url)
  const chooser = page.locator('form.paste footer select').first()
  await chooser.getByRole('option', { name: 'Quote it' }).waitFor({ state: 'attached' })
  // The usual workflow asks for a link alone.
  assert.equal(await form(page).count(), 0)
  await chooser.selectOption('quote')
  await form(page).getByLabel('speaker (required)').waitFor()
  assert.equal(await form(page).getByLabel('tone').isVisible(), false)

  const links = ['a', 'b'].map((name) => trawl.site.page(name, { title: `Talk ${name}` }))
  await box(page).fill(links.join('\n'))
  await page.keyboard.press('Control+Enter')
  await page.getByText('Not added yet. The workflow still needs: speaker.').waitFor()
  await form(page).getByText('This is needed.').waitFor()
  await until('the field that is missing is there to be typed in', () => page.evaluate(() => document.activeElement?.matches('[aria-invalid]')))
  assert.equal(await box(page).inputValue(), links.join('\n'))
  assert.equal((await tasks(trawl)).length, 0)
  await page.axe()

  await page.keyboard.type('Ada Lovelace the First')
  await page.keyboard.press('Tab')
  await form(page).getByText('This is too long.').waitFor()
  await form(page).getByLabel('speaker (required)').fill('Ada')
  await page.getByText('Not added yet').waitFor({ state: 'detached' })
  await form(page).getByText('2 more settings').click()
  await form(page).getByLabel('tone').selectOption('proud')
  await form(page).getByLabel('loud').check()
  await form(page).getByText('2 more settings · 2 changed').waitFor()
  await page.axe()
  await page.getByRole('button', { name: /^Add 2/ }).click()
  await until('both are there', async () => (await lines(page).count()) === 2)
  for (const { id } of await tasks(trawl)) assert.deepEqual((await trawl.done(id)).result, { said: 'ADA', tone: 'proud' })

  // What was done in the same way is offered; in another way it is not the same.
  await box(page).fill(links[0])
  await page.getByText('1 already done').waitFor()
  await form(page).getByLabel('tone').selectOption('plain')
  await page.getByText('1 already done').waitFor({ state: 'detached' })

  // It is still there after a reload, and each workflow has its own.
  await page.reload()
  await form(page).getByLabel('speaker (required)').waitFor()
  assert.equal(await form(page).getByLabel('speaker (required)').inputValue(), 'Ada')
  await chooser.selectOption('transcribe')
  await form(page).waitFor({ state: 'detached' })
  await box(page).fill(trawl.site.page('c', { title: 'Talk c' }))
  await page.getByRole('button', { name: /^Add 1/ }).click()
  await until('a third one', async () => (await tasks(trawl)).length === 3)
  const third = (await tasks(trawl)).find(({ workflow }) => workflow === 'transcribe')
  assert.deepEqual(Object.keys(third.params), ['link'])
})

test('a workflow that takes no link is run from the box by its parameters alone', async (context) => {
  const trawl = await daemon(context)
  await trawl.api('POST', 'api/workflows', add)
  const page = await browse(context, trawl)
  await page.goto(trawl.url)
  await page.locator('form.paste footer select').first().selectOption('sum')
  await page.getByText('This workflow takes no link').waitFor()
  await form(page).getByLabel('a (required)').fill('x')
  await page.getByRole('button', { name: /^Add 1/ }).click()
  await form(page).getByText('A whole number, please.').waitFor()
  await form(page).getByLabel('a (required)').fill('40')
  await page.getByRole('button', { name: /^Add 1/ }).click()
  await until('it is there', async () => (await tasks(trawl)).length === 1)
  const [{ id }] = await tasks(trawl)
  assert.deepEqual((await trawl.done(id)).result, { sum: 42 })
  await until('the list has it', async () => (await lines(page).count()) === 1)
})

test('a file dropped elsewhere is not sent for nothing: the box says what the workflow needs, and takes it then', async (context) => {
  const trawl = await daemon(context)
  await trawl.api('POST', 'api/workflows', quote)
  const page = await browse(context, trawl)
  await page.goto(trawl.url)
  await page.locator('form.paste footer select').first().selectOption('quote')
  await form(page).getByLabel('speaker (required)').waitFor()
  const drop = () => page.evaluate(() => {
    const transfer = new DataTransfer()
    transfer.items.add(new File([new Uint8Array(100)], 'small.wav', { type: 'audio/wav', lastModified: 1 }))
    for (const kind of ['dragenter', 'drop']) dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, cancelable: true, bubbles: true }))
  })
  await page.goto(`${trawl.url}models`)
  await page.locator('h1').waitFor()
  await drop()
  await page.waitForURL(trawl.url)
  await page.getByText('The workflow still needs: speaker.').waitFor()
  await until('the field is there to be typed in', () => page.evaluate(() => document.activeElement?.matches('[aria-invalid]')))
  assert.deepEqual([await page.locator('.upload').count(), (await tasks(trawl)).length], [0, 0])
  await page.keyboard.type('Ada')
  await page.getByText('The workflow still needs').waitFor({ state: 'detached' })
  await page.goto(`${trawl.url}models`)
  await page.locator('h1').waitFor()
  await drop()
  await until('there is a task', async () => (await tasks(trawl)).length === 1)
  assert.equal((await tasks(trawl))[0].params.speaker, 'Ada')
})

test('the form fits on a phone, in every language', async (context) => {
  const trawl = await daemon(context)
  await trawl.api('POST', 'api/workflows', quote)
  for (const [locale, colorScheme] of [['zh-CN', 'dark'], ['zh-TW', 'light']]) {
    const page = await browse(context, trawl, { locale, colorScheme, viewport: { width: 390, height: 844 } })
    await page.goto(trawl.url)
    await page.locator('form.paste footer select').first().selectOption('quote')
    await page.locator('form.paste summary').click()
    await page.locator('form.paste [type=submit]').click()
    await page.locator('#paste').fill('https://example.com/x.mp4')
    await page.locator('form.paste [type=submit]').click()
    await page.getByRole('alert').waitFor()
    await page.axe()
    for (const width of [390, 320]) {
      await page.setViewportSize({ width, height: 844 })
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${locale} at ${width}`)
    }
  }
})
