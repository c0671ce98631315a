import { expect, test } from 'vitest'
import { fill } from './message'

test('places are filled, numbers as the language writes them', () => {
  expect(fill('{name} has {n|one:# task|other:# tasks}', { name: 'She', n: 1 }, 'en')).toBe('She has 1 task')
  expect(fill('{n|one:# task|other:# tasks}', { n: 12_000 }, 'en')).toBe('12,000 tasks')
  expect(fill('{n} of {missing}', { n: 12_000 }, 'de')).toBe('12.000 of ')
  expect(fill('{n|other:# 个任务}', { n: 2 }, 'zh-CN')).toBe('2 个任务')
})

test('what is filled in is not read as a place again', () => {
  expect(fill('“{title}”', { title: '{n} {title}' }, 'en')).toBe('“{n} {title}”')
})
