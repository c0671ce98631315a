// Workflows on the page: written, checked, tested, saved, run.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browse, daemon, until } from './harness.mjs'

const words = {
  dsl: 1,
  name: 'words',
  title: 'The words of a link',
  params: { link: { type: 'url', description: 'Where it is' }, language: { type: 'string', enum: ['en', 'de'], default: 'en' } },
  steps: {
    source: { use: 'resolve', with: { link: '${params.link}' } },
    media: { use: 'download', with: { from: '${steps.source.output}' } },
    text: { use: 'transcribe', with: { media: '${steps.media.output}', language: '${params.language}' } },
  },
  output: { text: '${steps.text.output.text}' },
}

/** A page that shows the editor of a workflow, once the server has said what it thinks of it. */
async function edit(context, { name = 'words', definition = words, ...options } = {}) {
  const trawl = await daemon(context)
  if (definition) await trawl.api('POST', 'api/workflows', definition)
  const page = await browse(context, trawl, options)
  await page.goto(`${trawl.url}workflows/${name}`)
  const editor = page.getByRole('textbox', { name: 'Definition (JSON)' })
  await editor.waitFor()
  await checked(page)
  return { trawl, page, editor }
}

const checked = (page) => page.locator('#problems-title').getByText(/None|errors?:|warnings?/).waitFor()
const save = (page, revision) => page.getByRole('button', { name: `Save as revision ${revision}` })
const step = (page, name) => page.getByRole('list', { name: 'Steps' }).getByRole('button', { name: new RegExp(`^${name} `) })

/** Puts a text in the place of everything. */
async function replace(page, editor, text) {
  await editor.focus()
  await page.keyboard.press('Control+a')
  await page.keyboard.insertText(text)
  await until('the page has the text', async () => (await kept(page)) === text)
}

/** What is kept of it in the browser while it is not saved. */
const kept = (page) =>
  page.evaluate(() => {
    const name = Object.keys(localStorage).find((one) => one.startsWith('trawl.workflow.'))
    return name ? JSON.parse(localStorage.getItem(name)).text : null
  })

/** Puts the caret behind the first place where a text stands. */
async function caretBehind(editor, text) {
  await editor.focus()
  await editor.evaluate((node, wanted) => {
    const lines = [...node.querySelectorAll('.cm-line')]
    const line = lines.find((one) => one.textContent.includes(wanted))
    const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT)
    let left = line.textContent.indexOf(wanted) + wanted.length
    while (walker.nextNode()) {
      if (left <= walker.currentNode.length) return getSelection().collapse(walker.currentNode, left)
      left -= walker.currentNode.length
    }
  }, text)
}

test('a misspelt step is marked on its line and keeps the definition from being saved, until it is put right', async (context) => {
  const { trawl, page, editor } = await edit(context)
  const better = { ...words, title: 'Better words' }
  const text = JSON.stringify(better, null, 2).replace('${steps.media.output}', '${steps.medai.output}')
  await replace(page, editor, text)
  const marked = page.locator('.cm-lintRange-error')
  await marked.waitFor()
  assert.equal(await marked.textContent(), 'medai')
  const line = page.getByRole('button', { name: /no step "medai"; did you mean "media"\?/ })
  const number = text.split('\n').findIndex((one) => one.includes('medai')) + 1
  assert.match(await line.textContent(), new RegExp(`^Line ${number} `))
  // It can be read without scrolling.
  const { y, height } = await line.boundingBox()
  assert.ok(y + height <= 800, `${y + height}`)
  assert.ok(await save(page, 2).isDisabled())
  // The keyboard does not get past it either.
  await editor.press('Control+s')
  assert.equal((await trawl.api('GET', 'api/workflows/words')).revision, 1)
  await until('the diagram knows', async () => /Has problems/.test(await step(page, 'text').textContent()))
  await page.axe()

  await line.click()
  await page.keyboard.insertText('media')
  await page.locator('#problems-title').getByText('None').waitFor()
  await editor.press('Control+s')
  await save(page, 3).waitFor()
  const stored = await trawl.api('GET', 'api/workflows/words')
  assert.equal(stored.revision, 2)
  assert.deepEqual(stored.definition, better)
})

test('the server’s suggestion takes the place of what is wrong', async (context) => {
  const { page, editor } = await edit(context)
  await replace(page, editor, JSON.stringify(words, null, 2).replace('"title"', '"titel"'))
  const marked = page.locator('.cm-lintRange-error')
  await marked.hover()
  await page.getByRole('button', { name: 'Replace with “title”' }).click()
  await page.locator('#problems-title').getByText('None').waitFor()
  assert.ok((await editor.textContent()).includes('"title"'))
})

test('completion knows steps, what they make, and fields, from the keyboard alone', async (context) => {
  const { page, editor } = await edit(context)
  await caretBehind(editor, '${steps.text.output.text')
  for (let count = 0; count < 'text.output.text'.length; count++) await page.keyboard.press('Backspace')
  const offered = page.getByRole('option')
  // A list that has just come takes nothing yet, so that nobody accepts by accident what they have not seen: Tab waits for it.
  const take = async (label, whole) => {
    await offered.filter({ hasText: label }).waitFor()
    await until(`${label} is taken`, async () => {
      if ((await editor.textContent()).includes(whole)) return true
      await page.keyboard.press('Tab')
      return false
    })
  }
  await page.keyboard.type('m')
  await take('media', '"text": "${steps.media.output')
  await page.keyboard.type('.du')
  await take('duration_ms', '"text": "${steps.media.output.duration_ms}')
  // Without a list, Tab leaves the editor.
  await offered.first().waitFor({ state: 'detached' })
  await page.keyboard.press('Tab')
  assert.ok(await page.evaluate(() => !document.activeElement.shadowRoot))
})

test('the diagram and the caret follow each other', async (context) => {
  const { page, editor } = await edit(context)
  const current = page.locator('[aria-current=step]')
  await step(page, 'media').click()
  await until('the caret is in the step', async () => (await current.textContent()).startsWith('media'))
  assert.equal(await page.evaluate(() => document.activeElement.shadowRoot?.getSelection?.()?.toString() ?? ''), 'media')
  await caretBehind(editor, '"transcribe')
  await until('the diagram knows', async () => (await current.textContent()).startsWith('text'))
  assert.match(await current.textContent(), /Kind transcribe\. Runs after media/)
  // A step that is written appears.
  await caretBehind(editor, '"language": "${params.language}" } }')
  await page.keyboard.insertText(', "last": { "use": "llm", "after": ["text"], "when": "params.language == \'en\'", "with": { "input": "x" } }')
  await step(page, 'last').waitFor()
  assert.match(await step(page, 'last').textContent(), /Runs after text\. Only when params\.language == 'en'/)
})

test('a form made of the parameters starts a task and leads to it; the command says the same', async (context) => {
  const { trawl, page } = await edit(context)
  const link = trawl.site.page('talk')
  await page.getByRole('button', { name: 'Run…' }).click()
  const form = page.getByRole('dialog')
  await form.getByRole('button', { name: 'Run', exact: true }).click()
  await form.getByText('This is needed.').waitFor()
  assert.equal((await trawl.api('GET', 'api/tasks?workflow=words')).total, 0)
  await form.getByLabel('link (required)').fill(link)
  await form.getByLabel('language').selectOption('de')
  await form.getByText('The same as a command').click()
  const command = await form.locator('pre').textContent()
  assert.deepEqual(JSON.parse(/--json '(.*)'$/.exec(command)[1]), { workflow: 'words', params: { link, language: 'de' } })
  assert.ok(command.startsWith(`curl -s ${trawl.url}api/tasks `))
  const release = trawl.site.gate()
  await form.getByRole('button', { name: 'Run', exact: true }).click()
  await page.waitForURL(`${trawl.url}tasks/1`)
  // The steps move while one looks.
  const line = (name) => page.getByRole('region', { name: 'Steps' }).getByRole('listitem').filter({ has: page.getByRole('button', { name, exact: true }) })
  await line('media').getByText('Running').waitFor()
  await line('text').getByText('Not yet').waitFor()
  release()
  const task = await trawl.done(1)
  await line('text').getByText('Done').waitFor()
  assert.deepEqual([task.workflow, task.status, task.params], ['words', 'completed', { link, language: 'de' }])

  await page.goto(`${trawl.url}workflows/words/runs`)
  await page.getByRole('link', { name: /A short remark/ }).waitFor()
  await page.getByRole('listitem').getByText('Done').waitFor()
})

test('runs show themselves while they run', async (context) => {
  const trawl = await daemon(context)
  const page = await browse(context, trawl)
  await page.goto(`${trawl.url}workflows/transcribe/runs`)
  await page.getByText('Nothing has run with it yet.').waitFor()
  const open = trawl.site.gate()
  const id = await trawl.task(trawl.site.page('talk'))
  await page.getByRole('listitem').getByText('Running').waitFor()
  open()
  await trawl.done(id)
  await page.getByRole('listitem').getByText('Done').waitFor()
})

test('a test with mock outputs says what every step would get', async (context) => {
  const { trawl, page, editor } = await edit(context)
  // What stands in the editor is tested, not what is stored.
  await replace(page, editor, JSON.stringify({ ...words, output: { loud: '${upper(steps.text.output.text)}' } }))
  await checked(page)
  await page.getByRole('button', { name: 'Test…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('link (required)').fill('https://example.com/x.mp4')
  await dialog.getByLabel('What steps make (JSON)').fill('{"text": ')
  await dialog.getByRole('button', { name: 'Test', exact: true }).click()
  await dialog.getByText('An object in JSON, please').waitFor()
  await dialog.getByLabel('What steps make (JSON)').fill('{"text": {"text": "good morning"}}')
  await dialog.getByRole('button', { name: 'Test', exact: true }).click()
  await dialog.getByText('"loud": "GOOD MORNING"').waitFor()
  assert.equal(await dialog.getByRole('listitem').count(), 3)
  // That the rest is made up is the usual case, and no warning.
  await dialog.getByText('Made up here: what source, media would make.').waitFor()
  assert.equal(await dialog.getByText('Warning', { exact: true }).count(), 0)
  await page.axe()
  await dialog.getByLabel('What steps make (JSON)').fill('{"media": {"error": {"code": "source_timeout"}}}')
  await dialog.getByRole('button', { name: 'Test', exact: true }).click()
  await dialog.getByRole('heading', { name: 'Result' }).getByText('Failed').waitFor()
  assert.equal((await trawl.api('GET', 'api/tasks')).total, 0)
})

test('a workflow is made, copied under another name, and deleted', async (context) => {
  const { trawl, page, editor } = await edit(context, { name: '+new', definition: null })
  await page.getByRole('button', { name: 'Save as a new workflow' }).click()
  await page.waitForURL(`${trawl.url}workflows/my-workflow`)
  await page.getByRole('heading', { name: 'my-workflow' }).waitFor()
  await editor.waitFor()
  const { definition } = await trawl.api('GET', 'api/workflows/my-workflow')
  await replace(page, editor, JSON.stringify({ ...definition, name: 'copy' }))
  await page.getByRole('button', { name: 'Save as a new workflow' }).click()
  await page.waitForURL(`${trawl.url}workflows/copy`)
  assert.equal((await trawl.api('GET', 'api/workflows/my-workflow')).revision, 1)

  await page.getByRole('heading', { name: 'copy' }).waitFor()
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Delete…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.waitForURL(`${trawl.url}workflows`)
  await page.getByRole('link', { name: 'my-workflow', exact: true }).waitFor()
  assert.equal(await page.getByRole('link', { name: 'copy', exact: true }).count(), 0)
})

test('what is typed survives leaving, and nobody overwrites what another one has saved', async (context) => {
  const { trawl, page, editor } = await edit(context)
  await replace(page, editor, JSON.stringify({ ...words, title: 'Mine' }, null, 2))
  await trawl.api('PUT', 'api/workflows/words', { ...words, title: 'Theirs' })
  await page.goto(`${trawl.url}workflows`)
  await page.getByRole('link', { name: 'words', exact: true }).click()
  await page.getByText('Here are changes that you have not saved.').waitFor()
  await page.getByText('Revision 2 has been saved since you began with revision 1.').waitFor()
  await page.getByRole('button', { name: 'Show changes' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('"title": "Theirs"').waitFor()
  await dialog.getByText('"title": "Mine"').waitFor()
  await page.keyboard.press('Escape')

  await trawl.api('PUT', 'api/workflows/words', { ...words, title: 'Theirs again' })
  await checked(page)
  await save(page, 3).click()
  await dialog.getByText('Somebody else has saved meanwhile').waitFor()
  await dialog.getByText('"title": "Theirs again"').waitFor()
  assert.equal((await trawl.api('GET', 'api/workflows/words')).definition.title, 'Theirs again')
  await page.axe()
  await dialog.getByRole('button', { name: 'Save as revision 4' }).click()
  await dialog.waitFor({ state: 'hidden' })
  const stored = await trawl.api('GET', 'api/workflows/words')
  assert.deepEqual([stored.revision, stored.definition.title], [4, 'Mine'])

  await page.getByRole('link', { name: 'Revisions' }).click()
  await page.getByRole('heading', { name: 'From revision 3 to 4' }).waitFor()
  await page.getByRole('button', { name: /^Revision 2/ }).click()
  await page.getByRole('heading', { name: 'From revision 1 to 2' }).waitFor()
  await page.getByRole('button', { name: 'Edit revision 2 again' }).click()
  await page.getByText('Here are changes that you have not saved.').waitFor()
  await until('the old text is there', async () => (await editor.textContent()).includes('"title": "Theirs"'))
})

test('a daemon that is away costs nothing that was typed, and is asked again when it is back', async (context) => {
  const { trawl, page, editor } = await edit(context)
  await trawl.stop()
  const text = JSON.stringify({ ...words, title: 'Typed meanwhile' }, null, 2)
  await replace(page, editor, text)
  await page.getByText('The definition could not be checked').waitFor()
  assert.ok(await save(page, 2).isDisabled())
  await trawl.start()
  await page.locator('#problems-title').getByText('None').waitFor()
  await save(page, 2).click()
  await save(page, 3).waitFor()
  assert.equal((await trawl.api('GET', 'api/workflows/words')).definition.title, 'Typed meanwhile')
})

test('strangers’ text in definitions stays text', async (context) => {
  const bad = '<img src=x onerror="globalThis.pwned = 1"><script>globalThis.pwned = 1</script>\u202Egnp.exe'
  const definition = { ...words, title: bad, params: { ...words.params, note: { type: 'string', default: bad, description: bad } } }
  const { trawl, page } = await edit(context, { definition })
  await page.getByRole('button', { name: 'Run…' }).click()
  await page.getByRole('dialog').getByText('<img src=x').first().waitFor()
  await page.goto(`${trawl.url}workflows`)
  await page.getByText('<img src=x').first().waitFor()
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined)
  assert.equal(await page.locator('main img').count(), 0)
})
