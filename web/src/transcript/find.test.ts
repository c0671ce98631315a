import { expect, test } from 'vitest'
import { spoken } from './fixture'
import { find, placeFrom, places, replaceAll, replaceOne, step } from './find'

const plain = { whole: false, matchCase: false }
const cuts = (text: string, query: string, options = plain) => places(text, { text: query, ...options }).map(({ from, to }) => text.slice(from, to))

test('places are found in any case unless it counts, and marks mean themselves', () => {
  expect(cuts('Sea sea SEA', 'sea')).toEqual(['Sea', 'sea', 'SEA'])
  expect(cuts('Sea sea SEA', 'sea', { whole: false, matchCase: true })).toEqual(['sea'])
  expect(cuts('a.b (a*b) a-b', 'a*b')).toEqual(['a*b'])
  expect(cuts('[x] {y} \\ / ^$', '\\')).toEqual(['\\'])
  expect(cuts('anything', '')).toEqual([])
  expect(cuts('naïve İstanbul 😀😀', '😀')).toEqual(['😀', '😀'])
})

test('whole words end at blanks and marks; in Chinese every place is a whole word', () => {
  const whole = { whole: true, matchCase: false }
  expect(places('cat concat cats cat.', { text: 'cat', ...whole }).map((place) => place.from)).toEqual([0, 16])
  expect(cuts('我读了三本书和三本书', '三本', whole)).toEqual(['三本', '三本'])
  expect(cuts('用GPU和GPUs算', 'GPU', whole)).toEqual(['GPU'])
  expect(cuts('カメラのカメラ', 'カメ', whole)).toEqual(['カメ', 'カメ'])
  expect(cuts('don_t don', 'don', whole)).toEqual(['don'])
  expect(cuts('(cat)', '(cat)', whole)).toEqual(['(cat)'])
})

test('matches over lines, and the way around the ends', () => {
  const lines = [spoken(0, 1, 'aa'), spoken(1, 2, 'b'), spoken(2, 3, 'a')]
  const found = find(lines, { text: 'a', ...plain })
  expect(found.map((match) => match.key)).toEqual([lines[0]!.key, lines[0]!.key, lines[2]!.key])
  expect([step(found, -1, 1), step(found, 2, 1), step(found, 0, -1), step(found, -1, -1), step([], 0, 1)]).toEqual([0, 0, 2, 2, -1])
})

test('replaced one by one and all at once; what replaces is no pattern', () => {
  const lines = [spoken(0, 2, 'the cat and the cat'), spoken(2, 3, 'dog')]
  const one = replaceOne(lines, find(lines, { text: 'cat', ...plain })[1]!, '$& $1')
  expect(one.map((line) => line.text)).toEqual(['the cat and the $& $1', 'dog'])
  expect(one[1]).toBe(lines[1])
  const all = replaceAll(lines, { text: 'cat', ...plain }, '猫')
  expect([all.count, all.lines[0]!.text]).toEqual([2, 'the 猫 and the 猫'])
  expect(all.lines[0]!.words!.every((word) => word.to <= all.lines[0]!.text.length)).toBe(true)
  expect(replaceAll(lines, { text: 'cow', ...plain }, 'x')).toEqual({ lines, count: 0 })
})

test('the search begins where somebody is, and goes around the end', () => {
  const lines = ['a whale', 'a net', 'whale, whale', 'a boat'].map((text, at) => spoken(at, at + 1, text))
  const matches = find(lines, { text: 'whale', ...plain })
  expect(lines.map((line) => placeFrom(lines, matches, line.key))).toEqual([0, 1, 1, 0])
  expect(placeFrom(lines, matches, 0)).toBe(0)
  expect(placeFrom(lines, [], lines[1]!.key)).toBe(-1)
})
