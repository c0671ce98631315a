// The pictures of docs/pages.md, of a daemon with some work of its own: scripts/web.sh pictures. Not a test: it is run when the page
// looks different.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { browser, daemon, root, until } from './harness.mjs'
import { correct, model } from './task.world.mjs'

const folder = join(root, 'docs/pictures')
const ends = []
const context = { after: (end) => ends.unshift(end) }

/** What is said in the recording, at these seconds: our own words, because nobody's recordings are ours to show. */
const said = [
  [0, 0.9, '小猫: 大家好，今天聊一聊港口的早晨。'],
  [0.9, 1.8, '老陈: 天还没亮，船就回来了。'],
  [1.8, 2.6, '小猫: 一网下去，能有多少鱼？'],
  [2.6, 3.6, '老陈: 看潮水。潮水对了，两个人都拉不动。'],
  [3.6, 4.4, '小猫: 那要是不对呢？'],
  [4.4, 5.3, '老陈: 那就喝茶，等下一次潮水。'],
]
const summary = '港口的早晨从潮水开始：\n\n- 天亮以前，船已经回来\n- 一网有多少，**看潮水**\n- 潮水不对，就等下一次'
async function world() {
  const llm = await model(context, () => summary)
  const trawl = await daemon(context, { settings: `[llm]\nbase_url = "${llm}"\nmodel = "stub"` })
  const { site } = trawl
  const names = ['transcribe-summarise', 'transcribe']
  const known = (await trawl.api('GET', 'api/workflows')).items.map((each) => each.name)
  const use = names.find((name) => known.includes(name))
  const chinese = await trawl.api('POST', 'api/tasks', {
    workflow: use,
    link: site.page('harbour', { title: '港口的早晨：一网能有多少鱼？', clip: 'zh-known-13.wav' }),
    options: { language: 'zh', word_timestamps: true },
  })
  const ids = [chinese.id]
  // A clip of its own for each: what is the same file is the same media, with one title.
  const others = {
    'en-known-00.wav': 'How a trawler finds its fish',
    'en-known-02.flac': 'Weather for the coast, Thursday',
    'en-known-12.wav': 'A walk along the quay',
    'en-known-14.flac': 'Nets, and how they are mended',
  }
  for (const [clip, title] of Object.entries(others)) {
    ids.push(await trawl.task(site.page(clip, { title, clip }), { options: { language: 'en', word_timestamps: true } }))
  }
  for (const id of ids) await trawl.done(id, 240)
  await correct(trawl, chinese.id, said.map(([start, end, text]) => ({ start, end, text })))
  await trawl.done(await trawl.task(`${site.url}/nobody-is-here.html`), 120)
  const open = site.gate()
  ends.unshift(open)
  await trawl.task(site.page('pilot', { title: 'Interview with a harbour pilot', clip: 'en-known-16.flac' }))
  await until('it downloads', async () => (await trawl.api('GET', 'api/tasks?limit=1')).items[0].title !== null, 20).catch(() => null)
  await trawl.api('POST', 'api/schedules', { name: 'Every morning', workflow: 'transcribe', cron: '0 7 * * 1-5', tz: 'Europe/Berlin', params: { link: site.page('morning') } })
  return { trawl, chinese: chinese.id, workflow: use }
}

const kinds = {
  light: { colorScheme: 'light', locale: 'en-GB', viewport: { width: 1280, height: 800 } },
  dark: { colorScheme: 'dark', locale: 'en-GB', viewport: { width: 1280, height: 800 } },
  phone: { colorScheme: 'light', locale: 'en-GB', viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  chinese: { colorScheme: 'light', locale: 'zh-CN', viewport: { width: 1280, height: 800 } },
}

/** Path of each page, what is there when it has loaded, and the kinds of pictures of it. */
const pages = (chinese, workflow) => ({
  inbox: ['', 'text=港口的早晨', Object.keys(kinds)],
  task: [`tasks/${chinese}`, 'text=看潮水', Object.keys(kinds)],
  workflow: [`workflows/${workflow}`, '.cm-content', ['light']],
  schedules: ['schedules', 'text=Every morning', ['light']],
  models: ['models', 'text=smoke-q8_0', ['light', 'chinese']],
  settings: ['settings/doctor', 'main li, main tr', ['dark']],
})

async function shoot({ trawl, chinese, workflow }) {
  for (const [kind, options] of Object.entries(kinds)) {
    const profile = await (await browser()).newContext({ ...options, reducedMotion: 'reduce' })
    for (const [name, [path, there, wanted]] of Object.entries(pages(chinese, workflow))) {
      if (!wanted.includes(kind)) continue
      const page = await profile.newPage()
      const peaks = name === 'task' ? page.waitForResponse('**/peaks*') : null
      await page.goto(trawl.url + path)
      await page.locator(there).last().waitFor()
      await until('nothing loads any more', async () => (await page.locator('[aria-busy="true"]').count()) === 0)
      await (await peaks)?.finished()
      // Drawn by then.
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))))
      await page.screenshot({ path: join(folder, `${name}-${kind}.png`) })
      await page.close()
    }
    await profile.close()
  }
}

await mkdir(folder, { recursive: true })
try {
  await shoot(await world())
} finally {
  for (const end of ends) await end()
  await (await browser()).close()
}
