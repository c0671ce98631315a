// Whether the page's memory stays what it is while it looks on: scripts/web.sh memory [MINUTES]. Not a test of the suite: an hour is
// an hour. Tasks come, fail and go all the time, beside an open inbox and an open task; the heap is told after a collection at the
// start and after every quarter of the time.

import { browse, browser, daemon } from './harness.mjs'

const minutes = Number(process.argv[2] ?? 60)
/** How much more than after the first tenth of the time it may be at the end. */
const more = 1.1
const ends = []
const context = { after: (end) => ends.unshift(end) }

const used = async (session) => {
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters')
  return { heap: usedSize, nodes, listeners: jsEventListeners }
}
const tell = ({ heap, nodes, listeners }) => `${(heap / 1e6).toFixed(1)} MB, ${nodes} nodes, ${listeners} listeners`

async function look() {
  const trawl = await daemon(context)
  const clip = await trawl.task(trawl.site.page('a', { title: 'Open all the time' }))
  await trawl.done(clip)
  const sessions = {}
  for (const [name, path] of Object.entries({ inbox: '', task: `tasks/${clip}` })) {
    const page = await browse(context, trawl)
    page.expected.push(/./)
    await page.goto(trawl.url + path)
    await page.locator('.connection.live').waitFor()
    sessions[name] = await page.context().newCDPSession(page)
  }
  const begun = Date.now()
  const passed = () => (Date.now() - begun) / 60_000 / minutes
  let [made, told, first] = [0, 0, null]
  while (passed() < 1) {
    // It fails at once, and its going is news as well as its coming.
    const id = await trawl.task(`${trawl.site.url}/gone-${made}.html`)
    await trawl.done(id)
    await trawl.api('DELETE', `api/tasks/${id}`)
    made += 1
    if (!first && passed() > 0.1) first = Object.fromEntries(await Promise.all(Object.entries(sessions).map(async ([name, session]) => [name, await used(session)])))
    if (passed() * 4 >= told) {
      told += 1
      for (const [name, session] of Object.entries(sessions)) console.log(`${(passed() * minutes).toFixed(0)} min, ${made} tasks: ${name} ${tell(await used(session))}`)
    }
  }
  const last = Object.fromEntries(await Promise.all(Object.entries(sessions).map(async ([name, session]) => [name, await used(session)])))
  for (const name of Object.keys(sessions)) {
    console.log(`${name}: ${tell(first[name])} after a tenth of the time, ${tell(last[name])} at the end, ${made} tasks`)
    if (last[name].heap > first[name].heap * more) process.exitCode = 1
  }
}

try {
  await look()
} finally {
  for (const end of ends) await end()
  await (await browser()).close()
}
