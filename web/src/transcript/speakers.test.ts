import { expect, test } from 'vitest'
import { spoken } from './fixture'
import { assign, cleanName, named, prefix, rename, speakers } from './speakers'
import { speed } from './speed'

test('a name before the text is a speaker; times, links and sentences are not', () => {
  expect(prefix('Anna: Good morning')).toEqual({ name: 'Anna', length: 6 })
  expect(prefix('小猫：大家好')).toEqual({ name: '小猫', length: 3 })
  expect(prefix('Speaker 1: yes')?.name).toBe('Speaker 1')
  expect(prefix('Prof. Dr. Lee: yes')?.name).toBe('Prof. Dr. Lee')
  for (const text of ['That works. Now: go', '10: 30', 'We met at 10:30', 'https://example.org', 'Well, listen: no', 'He said the following thing today: no', ': x', ''])
    expect(prefix(text), text).toBeNull()
})

test('who speaks how often; a name counts from the second time on', () => {
  const lines = [spoken(0, 1, 'Anna: a'), spoken(1, 2, 'Ben: b'), spoken(2, 3, 'Anna: c'), spoken(3, 4, 'Ben: d'), spoken(4, 5, 'Anna: e'), spoken(5, 6, 'Note: f')]
  expect(speakers(lines)).toEqual([
    { name: 'Anna', count: 3 },
    { name: 'Ben', count: 2 },
  ])
  expect(speakers(lines, new Set(['Note'])).map((each) => each.name)).toContain('Note')
  const renamed = rename(lines, 'Anna', ' Dr. Anna: \n Lee ')
  expect(renamed.map((line) => line.text)).toEqual(['Dr. Anna Lee: a', 'Ben: b', 'Dr. Anna Lee: c', 'Ben: d', 'Dr. Anna Lee: e', 'Note: f'])
  expect(renamed[1]).toBe(lines[1])
  expect(rename(lines, 'Ben', '')[1]!.text).toBe('b')
})

test('a name is put before a line in its script', () => {
  const lines = [spoken(0, 1, '大家好'), spoken(1, 2, 'Hello')]
  expect(assign(lines, 0, '小猫')[0]!.text).toBe('小猫：大家好')
  expect(assign(lines, 1, 'Ben')[1]!.text).toBe('Ben: Hello')
  expect(named('Ben: Hello', 'Anna')).toBe('Anna: Hello')
  expect(cleanName('<img src=x onerror=alert(1)>')).toBe('<img src=x onerror=alert(1)>')
  expect(assign(lines, 9, 'x')).toBe(lines)
})

test('too fast to read, by script', () => {
  expect(speed({ start: 0, end: 1, text: 'a b c d e' })).toEqual({ cps: 5, most: 20, isFast: false })
  expect(speed({ start: 0, end: 1, text: '一二三四五六七八九十一二' })).toMatchObject({ cps: 12, most: 11, isFast: true })
  expect(speed({ start: 1, end: 1, text: 'now' }).isFast).toBe(true)
  expect(speed({ start: 1, end: 1, text: ' ' })).toMatchObject({ cps: 0, isFast: false })
})
