// What the tests of the task page share: finished tasks, long transcripts, a language model that says what it is told.

import { createServer } from 'node:http'

/** Replaces the words of a finished task. */
export const correct = (trawl, id, segments) => trawl.api('PUT', `api/tasks/${id}/transcript`, { segments })

/** A transcript of `hours` in segments of 2.4 seconds with eight words each; segment 4,400 says where it is. */
export function long(count = 4500) {
  const vocabulary = 'net boat harbour morning weather captain whale rope engine island current depth signal market season'.split(' ')
  const segments = Array.from({ length: count }, (_, id) => {
    const start = id * 2.4
    const said = Array.from({ length: 8 }, (_, at) => vocabulary[(id * 7 + at * 3) % vocabulary.length])
    if (id === 4400) said[3] = 'needle-in-the-nets'
    const words = said.map((word, at) => ({ word: ` ${word}`, start: start + at * 0.3, end: start + at * 0.3 + 0.28, probability: 0.9 }))
    return { id, start, end: start + 2.4, text: said.join(' '), words, avg_logprob: -0.1, no_speech_prob: 0, compression_ratio: 1.2, temperature: 0, tokens: [] }
  })
  const text = segments.map((segment) => segment.text).join(' ')
  return { text, language: 'en', language_probability: 0.99, language_probs: [], duration: count * 2.4, duration_after_vad: count * 2.4, model: 'smoke-q8_0', engine: 'whisper.cpp', segments, warnings: [] }
}

/** Silence of so many seconds as a WAV file of eight bits. */
export function silence(seconds, rate = 3000) {
  const size = Math.round(seconds * rate)
  const file = Buffer.alloc(44 + size, 128)
  file.write('RIFF', 0)
  file.writeUInt32LE(36 + size, 4)
  file.write('WAVEfmt ', 8)
  file.writeUInt32LE(16, 16)
  file.writeUInt16LE(1, 20)
  file.writeUInt16LE(1, 22)
  file.writeUInt32LE(rate, 24)
  file.writeUInt32LE(rate, 28)
  file.writeUInt16LE(1, 32)
  file.writeUInt16LE(8, 34)
  file.write('data', 36)
  file.writeUInt32LE(size, 40)
  return file
}

/** Has a page hear a long recording where the daemon has a short one: nothing of three hours is recognised within a test. */
export async function lengthen(page, transcript) {
  const file = silence(transcript.duration)
  const body = JSON.stringify(transcript)
  await page.route('**/api/tasks/*/transcript', (route) => {
    const isRead = route.request().method() === 'GET'
    return route.fulfill({ contentType: 'application/json', headers: { etag: isRead ? '"1"' : '"2"' }, body: isRead ? body : '{}' })
  })
  await page.route('**/api/tasks/*/media', (route) => {
    const range = /bytes=(\d+)-(\d*)/.exec(route.request().headers().range ?? 'bytes=0-')
    const from = Number(range?.[1] ?? 0)
    const to = Math.min(file.length - 1, range?.[2] ? Number(range[2]) : from + 4_000_000)
    const headers = { 'content-range': `bytes ${from}-${to}/${file.length}`, 'accept-ranges': 'bytes' }
    return route.fulfill({ status: 206, contentType: 'audio/wav', headers, body: file.subarray(from, to + 1) })
  })
}

/** A server with OpenAI's chat API; `answer(request)` gives the text. */
export async function model(context, answer) {
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    const asked = JSON.parse(body || '{}')
    const text = answer(asked)
    const usage = { prompt_tokens: 9, completion_tokens: 9, total_tokens: 18 }
    if (asked.stream) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const say = (piece) => response.write(`data: ${JSON.stringify(piece)}\n\n`)
      for (let at = 0; at < text.length; at += 20) say({ choices: [{ index: 0, delta: { content: text.slice(at, at + 20) } }] })
      say({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage })
      response.end('data: [DONE]\n\n')
    } else {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }], usage }))
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${server.address().port}/v1`
}

/** Takes up the pen with `e`, and waits until keys are letters: Escape may just have closed something. */
export async function write(page) {
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await page.keyboard.press('e')
  await page.locator('.words textarea:focus').waitFor()
}

/** The point of the screen where a word of the transcript stands. */
export const pointOf = (page, text, nth = 0) =>
  page.evaluate(
    ([text, nth]) => {
      const hits = [...document.querySelectorAll('.words p')].flatMap((row) => {
        const at = row.textContent.indexOf(text)
        return at < 0 ? [] : [{ row, at }]
      })
      const { row, at } = hits[nth]
      row.scrollIntoView({ block: 'center' })
      const range = document.createRange()
      range.setStart(row.firstChild, at)
      range.setEnd(row.firstChild, at + text.length)
      const box = range.getBoundingClientRect()
      return { x: box.left + box.width / 2, y: box.top + box.height / 2 }
    },
    [text, nth],
  )

/** What is lit under a name of the highlight registry. */
export const lit = (page, name = 'spoken') => page.evaluate((name) => [...(CSS.highlights.get(name) ?? [])].map((range) => range.toString()), name)

/** Where the media is, in seconds. */
export const timeOf = (page) => page.evaluate(() => document.querySelector('video, audio').currentTime)

/** The media can be played. */
export const playable = (page) => page.waitForFunction(() => document.querySelector('video, audio')?.readyState >= 2)
