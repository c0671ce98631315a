import { expect, test } from 'vitest'
import { spoken } from './fixture'
import { line } from './lines'
import { lineAt, timeOf, wordAt } from './time'
import { pieces, retimed, wordsOf } from './words'

const texts = (text: string, words: readonly { from: number; to: number }[]) => words.map((word) => text.slice(word.from, word.to))
const heard = line({
  start: 1,
  end: 3,
  text: 'The whale, the sea.',
  words: [
    { word: ' The', start: 1, end: 1.2 },
    { word: ' whale,', start: 1.2, end: 1.8 },
    { word: ' the', start: 2, end: 2.2 },
    { word: ' sea.', start: 2.2, end: 3 },
  ],
})

test('words that were heard are found in the text, also the same word twice', () => {
  expect(texts(heard.text, wordsOf(heard))).toEqual(['The', 'whale,', 'the', 'sea.'])
  expect(wordsOf(heard)[2]).toEqual({ from: 11, to: 14, start: 2, end: 2.2 })
  expect(wordsOf(heard)).toBe(wordsOf(heard))
})

test('words that do not belong to the text are not believed', () => {
  const other = line({ start: 0, end: 2, text: '一二', words: [{ word: 'one', start: 0, end: 1 }, { word: 'two', start: 1, end: 2 }] })
  expect(wordsOf(other).length).toBeGreaterThan(0)
  expect(wordsOf(other)[0]!.from).toBe(0)
})

test('without word times they are estimated by length, Chinese too', () => {
  const text = '大家好，今天聊一聊三本书。'
  const words = wordsOf(spoken(10, 20, text))
  expect(texts(text, words).join('')).toBe(text)
  expect(words.length).toBeGreaterThan(3)
  expect(words[0]!.start).toBe(10)
  expect(words[words.length - 1]!.end).toBeCloseTo(20)
  for (const [at, word] of words.entries()) if (at) expect(word.start).toBeCloseTo(words[at - 1]!.end)
})

test('marks belong to the word before them', () => {
  expect(texts('Well... yes, no', pieces('Well... yes, no'))).toEqual(['Well...', 'yes,', 'no'])
  expect(pieces(' … ')).toEqual([])
})

test('a change re-times the words that it touches and no others', () => {
  const text = 'The white whale, the sea.'
  const long = line({ start: 1, end: 3, text: 'The big whale, the sea.', words: [{ word: ' The', start: 1, end: 1.1 }, { word: ' big', start: 1.1, end: 1.4 }, ...heard.heard!.slice(1).map((word, at) => (at ? word : { ...word, start: 1.4 }))] })
  const words = retimed(long, text)
  expect(texts(text, words)).toEqual(['The', 'white', 'whale,', 'the', 'sea.'])
  expect(words[1]).toEqual({ from: 4, to: 9, start: 1.1, end: 1.4 })
  expect(words[2]).toEqual({ from: 10, to: 16, start: 1.4, end: 1.8 })
  expect(words[4]!.start).toBe(2.2)
  const part = 'The whales, the sea.'
  expect(texts(part, retimed(heard, part))).toEqual(['The', 'whales,', 'the', 'sea.'])
  expect(retimed(heard, '')).toEqual([])
})

test('words that are put in where no time is share that of their neighbours, by their letters', () => {
  const text = 'The blue whale, the sea.'
  const words = retimed(heard, text)
  expect(texts(text, words)).toEqual(['The', 'blue', 'whale,', 'the', 'sea.'])
  expect(words.slice(0, 3).map((word) => word.end - word.start)).toEqual([3, 4, 6].map((letters) => expect.closeTo(letters / 13)))
  expect(words.slice(3)).toEqual([{ from: 16, to: 19, start: 2, end: 2.2 }, { from: 20, to: 24, start: 2.2, end: 3 }])
  const longer = `${heard.text} It rises and falls.`
  for (const word of retimed(heard, longer)) expect(word.end - word.start).toBeGreaterThan(0.01)
})

test('the line and the word at a time', () => {
  const lines = [spoken(1, 2, 'a'), spoken(2, 3, 'b'), heard, spoken(9, 10, 'd')].sort((one, two) => one.start - two.start)
  expect([0, 1, 2.5, 100].map((time) => lineAt(lines, time))).toEqual([-1, 1, 2, 3])
  for (const time of [0, 1, 1.9, 2, 8.9, 9, 50])
    for (const near of [-1, 0, 1, 2, 3]) expect(lineAt(lines, time, near)).toBe(lineAt(lines, time))
  expect([0.5, 1.1, 1.9, 2.3, 3.1, 4].map((time) => wordAt(heard, time))).toEqual([-1, 0, 1, 3, 3, -1])
  expect([0, 5, 10, 18].map((place) => timeOf(heard, place))).toEqual([1, 1.2, 2, 2.2])
  expect(timeOf(spoken(4, 5, ''), 0)).toBe(4)
})
