import { expect, test } from 'vitest'
import { fit, found, isLink, type Entry } from './entries'

const run = () => undefined
const entries: Entry[] = [
  { id: 'inbox', group: 'pages', text: 'Inbox', run },
  { id: 'tokens', group: 'pages', text: 'Settings: Access tokens', run },
  { id: 'settings', group: 'pages', text: 'Settings', run },
  { id: '7', group: 'tasks', text: 'How a trawler finds fish', run },
  { id: 'dark', group: 'actions', text: 'Theme: Dark', words: 'night', run },
  { id: 'fr', group: 'actions', text: 'Ré-glages', run },
]
const ids = (typed: string) => found(typed, entries).filter((entry) => entry.group !== 'tasks').map((entry) => entry.id)

test('every word must be there, in any order, without capitals and accents', () => {
  expect(ids('tok set')).toEqual(['tokens'])
  expect(ids('RE-GLAGES')).toEqual(['fr'])
  expect(ids('night')).toEqual(['dark'])
  expect(ids('ＤＡＲＫ')).toEqual(['dark'])
  expect(ids('nowhere')).toEqual([])
  expect(ids('')).toEqual(['inbox', 'tokens', 'settings', 'dark', 'fr'])
})

test('what begins so comes before what only holds it', () => {
  expect(fit('ac', { text: 'Access' })).toBe(0)
  expect(fit('to', { text: 'Access tokens' })).toBe(1)
  expect(fit('oke', { text: 'Access tokens' })).toBe(2)
  expect(fit('night', { text: 'Dark', words: 'night' })).toBe(4)
})

test('tasks were found by the daemon and are not looked through again', () => {
  expect(found('大海', entries).map((entry) => entry.id)).toEqual(['7'])
})

test('a task whose title has what was typed comes before one in which it is said', () => {
  const task = (id: string, text: string): Entry => ({ id, group: 'tasks', text, run })
  const list = [task('1', 'A long reading'), task('2', 'The price of the table'), task('3', 'Another reading'), task('4', 'Price')]
  expect(found('price', list).map((entry) => entry.id)).toEqual(['2', '4', '1', '3'])
})

test('a link is told from words', () => {
  expect(isLink('看看 https://v.douyin.com/iRNBho6u/ 复制')).toBe(true)
  expect(isLink('http://localhost:8000/a')).toBe(true)
  expect(isLink('https is a word')).toBe(false)
})
