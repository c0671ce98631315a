import { expect, test } from 'vitest'
import { Parser } from './parse'

const text = ': alive\n\nid: 7\nevent: status\ndata: {"task_id":1,"status":"queued"}\n\nevent: gap\ndata: {}\n\n'

test('events are found wherever the text is cut', () => {
  const whole = new Parser().push(text)
  expect(whole).toEqual([
    { id: 7, kind: 'status', data: { task_id: 1, status: 'queued' } },
    { id: null, kind: 'gap', data: {} },
  ])
  for (let at = 1; at < text.length; at += 1) {
    const parser = new Parser()
    expect([...parser.push(text.slice(0, at)), ...parser.push(text.slice(at))]).toEqual(whole)
  }
})

test('other ends of lines, data of several lines, and what cannot be read', () => {
  expect(new Parser().push('data: {"a":\r\ndata: 1}\r\n\r\n')).toEqual([{ id: null, kind: '', data: { a: 1 } }])
  expect(new Parser().push('data: {broken\n\ndata: {}\n\n')).toEqual([{ id: null, kind: '', data: {} }])
})
