import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Feed, type Connection } from './feed'
import type { StreamEvent } from './parse'

type Asked = { headers: Record<string, string>; signal: AbortSignal; answer: (response: Response) => void; fail: () => void }
let asked: Asked[] = []
let states: Connection[] = []
let events: StreamEvent[] = []

beforeEach(() => {
  vi.useFakeTimers()
  ;[asked, states, events] = [[], [], []]
  vi.stubGlobal('fetch', (_: string, init: RequestInit) =>
    new Promise<Response>((answer, reject) => {
      asked.push({ headers: init.headers as Record<string, string>, signal: init.signal!, answer, fail: () => reject(new TypeError('no')) })
      init.signal?.addEventListener('abort', () => reject(new DOMException('', 'AbortError')))
    }))
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const feed = () => new Feed('/api/events', (more) => events.push(...more), (now) => states.push(now))
/** An answer that stays open, and what is sent by it. */
function stream() {
  let control: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (control = given) })
  return {
    response: new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
    send: (text: string) => control?.enqueue(new TextEncoder().encode(text)),
    end: () => control?.close(),
    break: () => control?.error(new DOMException('', 'AbortError')),
  }
}
const settle = () => vi.advanceTimersByTimeAsync(0)

test('it comes back after 502 as often as it has to, and asks for what it has missed', async () => {
  const feeding = feed()
  feeding.start()
  const first = stream()
  asked[0]!.answer(first.response)
  await settle()
  first.send('id: 41\nevent: status\ndata: {"task_id":1}\n\n')
  await settle()
  expect(events.map((event) => event.kind)).toEqual(['gap', 'status'])
  first.end()
  await settle()
  for (let tries = 1; tries <= 5; tries += 1) {
    await vi.advanceTimersByTimeAsync(2000)
    expect(asked.length).toBe(tries + 1)
    expect(asked[tries]!.headers['last-event-id']).toBe('41')
    asked[tries]!.answer(new Response('', { status: 502 }))
    await settle()
  }
  await vi.advanceTimersByTimeAsync(2000)
  const second = stream()
  asked[6]!.answer(second.response)
  await settle()
  expect(states.at(-1)).toBe('live')
  // Nothing was missed, so nothing is read anew.
  expect(events.filter((event) => event.kind === 'gap').length).toBe(1)
  feeding.stop()
})

test('a connection that says nothing any more is given up', async () => {
  const feeding = feed()
  feeding.start()
  const silent = stream()
  asked[0]!.signal.addEventListener('abort', () => silent.break())
  asked[0]!.answer(silent.response)
  await settle()
  await vi.advanceTimersByTimeAsync(41_000)
  expect(states).toEqual(['live', 'lost'])
  expect(asked.length).toBe(2)
  feeding.stop()
})

test('where somebody must sign in it waits until it is told to try again', async () => {
  const feeding = feed()
  feeding.start()
  asked[0]!.answer(new Response('', { status: 401 }))
  await settle()
  await vi.advanceTimersByTimeAsync(60_000)
  expect([states, asked.length]).toEqual([['refused'], 1])
  feeding.again()
  await settle()
  expect(asked.length).toBe(2)
  feeding.stop()
})
