import { expect, test } from 'vitest'
import { joined } from './live'
import type { Line } from './lines'
import { inert, tag } from './script'
import { fileName, plain, query, wrong } from './subtitles'

test('the query has what the format takes', () => {
  expect(query(plain)).toBe('format=srt')
  const all = { ...plain, script: 'tw', maxChars: 42, maxLines: 2, maxSeconds: 6.5, maxCps: 17, words: true } as const
  expect(query({ ...all, format: 'vtt' })).toBe('format=vtt&zh=tw&max_chars=42&max_lines=2&max_seconds=6.5&max_cps=17&words=true')
  expect(query({ ...all, format: 'srt' })).not.toContain('words')
  expect(query({ ...all, format: 'txt' })).toBe('format=txt&zh=tw')
})

test('what the API would refuse is known before', () => {
  expect(wrong({ ...plain, maxChars: 7, maxLines: 1.5, maxSeconds: 0.5, maxCps: 101 })).toEqual(['maxChars', 'maxLines', 'maxCps'])
  expect(wrong({ ...plain, format: 'txt', maxChars: 7 })).toEqual([])
  expect(wrong({ ...plain, maxSeconds: Number.NaN })).toEqual(['maxSeconds'])
})

test('files are named after their titles, whatever those are', () => {
  expect(fileName('A talk', 7, 'srt')).toBe('A talk [7].srt')
  expect(fileName('../../etc/passwd', 7, 'txt')).toBe('etc passwd [7].txt')
  expect(fileName('\u202egnp.exe', 7, 'txt')).toBe('gnp.exe [7].txt')
  expect(fileName('聊'.repeat(200), 7, 'md')).toHaveLength(80 + 7)
  expect(fileName('', 7, 'json')).toBe('transcript [7].json')
})

test('the language of Han characters', () => {
  expect(tag('zh', null, '这是说什么时候')).toBe('zh-CN')
  expect(tag('zh', 'none', '這是說什麼時候')).toBe('zh-TW')
  expect(tag('zh', 'hk', '')).toBe('zh-HK')
  expect(tag('ja', 'hans', '')).toBe('ja')
  expect(tag('', null, '')).toBeUndefined()
})

test('marks of writing direction lose their effect and nothing moves', () => {
  const text = 'a\u202eb\u2066c\u0007'
  expect(inert(text)).toBe('a\u2060b\u2060c\u2060')
  expect(inert('plain\ttext\n')).toBe('plain\ttext\n')
})

test('live segments stand in the order of their times, each once', () => {
  const at = (start: number, text: string) => ({ start, end: start + 1, text })
  let lines: readonly Line[] = []
  for (const segment of [at(0, 'a'), at(30, 'c'), at(10, 'b'), at(10, 'b'), at(40, ' '), { start: NaN, end: 1, text: 'x' }]) lines = joined(lines, segment)
  expect(lines.map((line) => line.text)).toEqual(['a', 'b', 'c'])
  expect(joined(lines, at(30, 'c'))).toBe(lines)
})
