// A video that is taller than wide, as phones film: beside the words on a desk, above them on a phone.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { browse, daemon, root, until } from './harness.mjs'
import { correct, playable, timeOf } from './task.world.mjs'

/** A few seconds of 9:16. */
async function tall(folder) {
  const file = join(folder, 'tall.mp4')
  const voice = join(root, 'models/smoke/samples/en-known-04.flac')
  const input = ['-f', 'lavfi', '-i', 'testsrc=size=360x640:rate=10', '-i', voice, '-shortest']
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-y', ...input, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', file])
  return file
}

test('a tall video leaves the words their room', async (context) => {
  const trawl = await daemon(context)
  const link = trawl.site.page('tall', { title: 'Filmed with a phone', clip: await tall(trawl.folder) })
  const id = await trawl.task(link, { options: { language: 'en' } })
  const task = await trawl.done(id, 180)
  assert.equal(task.status, 'completed')
  // Many lines in little time, so that the page has to go along.
  const end = task.media.duration_ms / 1000
  const count = 60
  const time = (line) => Math.round((line * end * 1000) / count) / 1000
  await correct(trawl, id, Array.from({ length: count }, (_, line) => ({ start: time(line), end: time(line + 1), text: `Line ${line} of what was said.` })))

  const open = async (inner, options) => {
    const page = await browse(inner, trawl, options)
    await page.goto(`${trawl.url}tasks/${id}`)
    await page.locator('.words li').nth(count - 1).waitFor({ state: 'attached' })
    await playable(page)
    await page.locator('video.tall').waitFor()
    return page
  }
  const box = (page, what) => page.locator(what).evaluate((node) => { const { left, top, right, bottom, width, height } = node.getBoundingClientRect(); return { left, top, right, bottom, width, height } })
  const fits = async (page) => {
    const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
    assert.ok(wide <= screen, `${wide} pixels on a screen of ${screen}`)
  }
  const toEnd = async (page) => {
    await until('the end of the page', () =>
      page.evaluate(() => {
        scrollTo(0, document.documentElement.scrollHeight)
        return scrollY + innerHeight >= document.documentElement.scrollHeight - 2
      }),
    )
  }
  /** Plays to the end; no line may be said where it cannot be seen. */
  const along = async (page, covers) => {
    await page.evaluate(() => document.querySelector('video').play())
    await until('it has ended', async () => (await timeOf(page)) > end - 0.4, 60)
    await page.evaluate(() => document.querySelector('video').pause())
    await until('the line that is said can be seen', async () => {
      const [line, player] = [await box(page, '.words li[aria-current]'), await box(page, '.player')]
      return line.top >= (covers ? player.bottom - 1 : 0) && line.bottom <= page.viewportSize().height
    })
    assert.ok((await page.evaluate(() => scrollY)) > 300, 'the page has gone along')
  }

  await context.test('on a desk: in the rail, with its controls, while the words go by', async (inner) => {
    const page = await open(inner)
    const [words, video, player] = [await box(page, '.words'), await box(page, 'video'), await box(page, '.player')]
    assert.ok(video.left >= words.right && video.width <= 320 && words.width >= 1.5 * video.width, JSON.stringify({ words, video }))
    assert.ok(video.height >= 300 && video.height <= 420 && player.bottom <= 800, JSON.stringify({ video, player }))
    await fits(page)
    await along(page, false)
    await toEnd(page)
    const after = await box(page, '.player')
    assert.ok(after.top >= 0 && after.bottom <= 800, JSON.stringify(after))
    await page.axe('.player')
  })

  await context.test('the search stays in sight with what it finds, and begins where somebody is', async (inner) => {
    for (const options of [{}, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }]) {
      const page = await open(inner, options)
      await page.goto(`${trawl.url}tasks/${id}?t=${(time(30) + 0.01).toFixed(2)}`)
      await page.locator('.words li').nth(count - 1).waitFor({ state: 'attached' })
      await playable(page)
      await until('the line of that time is in sight', () => page.locator('.words li').nth(30).evaluate((row) => row.getBoundingClientRect().bottom > 0 && row.getBoundingClientRect().top < innerHeight))
      await page.keyboard.press('/')
      await page.getByRole('searchbox', { name: 'Find' }).fill('Line')
      await page.locator('.count').getByText('31 of 60').waitFor()
      for (let turn = 0; turn < 20; turn += 1) await page.keyboard.press('Enter')
      await page.locator('.count').getByText('51 of 60').waitFor()
      await until('what is found is below the search, and that below what plays', async () => {
        const [bar, player, hit] = [await box(page, '.find'), await box(page, '.player'), await box(page, '.words li:nth-child(51)')]
        return bar.top >= (options.viewport ? player.bottom : 0) - 1 && bar.bottom < hit.top && hit.bottom <= page.viewportSize().height
      })
      // All that belongs to the search is in one row, the cross at its end.
      const [bar, field, cross] = [await box(page, '.find'), await box(page, '.find input[type=search]'), await box(page, '.find .close')]
      assert.ok(cross.top < field.bottom && cross.right <= bar.right, JSON.stringify({ field, cross }))
      await fits(page)
      await page.axe('.find')
    }
  })

  await context.test('on a phone: above the words, which keep most of the screen', async (inner) => {
    for (const viewport of [{ width: 390, height: 844 }, { width: 844, height: 390 }]) {
      const page = await open(inner, { viewport, hasTouch: true, isMobile: true })
      await fits(page)
      const [words, player] = [await box(page, '.words'), await box(page, '.player')]
      assert.ok(player.bottom <= words.top, JSON.stringify({ words, player }))
      await along(page, true)
      await toEnd(page)
      const after = await box(page, '.player')
      assert.ok(after.top >= -1 && after.bottom <= viewport.height / 2, JSON.stringify(after))
      await page.locator('.player').getByRole('button', { name: 'Play' }).tap()
      await page.waitForFunction(() => !document.querySelector('video').paused || document.querySelector('video').ended)
      await fits(page)
    }
  })
})
