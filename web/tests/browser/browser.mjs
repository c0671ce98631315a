// Chromium, once for a file of tests. Every page is watched: what breaks the policy, asks elsewhere or throws fails the test.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after } from 'node:test'
import { chromium } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync)
let running = null

/** A figure that a clock gave: held against its limit by `make bench-web`, where nothing else runs, and by no other test. */
export const timed = (holds, figure) => assert.ok(holds || !process.env.TRAWL_TIMES, figure)

/** The browser; it ends with the file. */
export function browser() {
  running ??= chromium.launch({
    executablePath,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
      '--disable-sync',
      // A name as a machine has it in its own network: what comes from there over plain http may do less than what comes from loopback.
      '--host-resolver-rules=MAP trawl.lan 127.0.0.1',
    ],
  })
  return running
}
after(async () => (await running)?.close())

/**
 * A page of a new browser profile (`options` are Playwright's for a context; `context` an open one for another tab of the same profile).
 * Besides what Playwright has: `page.axe(where?)`, `page.expected` – patterns of console messages that the test brings about itself.
 */
export async function browse(test, trawl, { context, ...options } = {}) {
  const profile = context ?? (await (await browser()).newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options }))
  const page = await profile.newPage()
  // For what comes at once elsewhere, a machine that tests other things at the same time takes long.
  page.setDefaultTimeout(60_000)
  const wrong = []
  page.expected = []
  page.on('console', (message) => {
    const text = message.text()
    const isPolicy = /Content Security Policy|Trusted ?Type|Refused to/i.test(text)
    // A failed request is told as an error of the console; whether it may fail is the test's matter.
    if (isPolicy || (message.type() === 'error' && !/Failed to load resource|net::ERR_/.test(text))) wrong.push(`console: ${text}`)
  })
  page.on('pageerror', (error) => wrong.push(`thrown: ${String(error.stack ?? error).slice(0, 600)}`))
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== (trawl.seen ?? trawl.origin)) wrong.push(`asked elsewhere: ${url.href}`)
  })
  await page.addInitScript(() => {
    globalThis.violations = []
    addEventListener('securitypolicyviolation', (event) => globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`))
  })
  page.axe = async (where = null) => {
    // Its code comes past the page's policy, as an extension's would.
    await page.evaluate(axe)
    const found = await page.evaluate(async (where) => {
      const result = await globalThis.axe.run(where ?? document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
        resultTypes: ['violations'],
      })
      return result.violations.map((rule) => `${rule.id}: ${rule.help}\n    ${rule.nodes.slice(0, 5).map((node) => `${node.html}\n    ${node.failureSummary?.split('\n').slice(1, 3).join(' ')}`).join('\n    ')}`)
    }, where)
    assert.deepEqual(found, [], found.join('\n'))
  }
  test.after(async () => {
    const broken = await page.evaluate(() => globalThis.violations).catch(() => [])
    await page.close()
    if (!context) await profile.close()
    const all = [...wrong.filter((text) => !page.expected.some((pattern) => pattern.test(text))), ...(broken ?? []).map((text) => `policy: ${text}`)]
    assert.deepEqual(all, [], all.join('\n'))
  })
  return page
}
