import { expect, test } from 'vitest'
import { why } from './why'

const task = { title: 'Wie der Preis fällt', link: 'https://a.example/table', author: 'Ada' }

test('a row is there for its title, its link, its author, or what is said', () => {
  expect(why('PREIS fallt', task)).toBe('title')
  expect(why('table', task)).toBe('link')
  expect(why('ada', task)).toBe('author')
  expect(why('yellow', task)).toBe('said')
  expect(why('preis yellow', task)).toBe('said')
})

test('of Chinese in another script nothing is claimed', () => {
  expect(why('讀書', { ...task, title: '读书的猫' })).toBeNull()
  expect(why('讀書', task)).toBe('said')
})
