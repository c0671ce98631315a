import { expect, test } from 'vitest'
import { differences, type Part } from './differences'
import { dice } from './fixture'

const marked = (parts: Part[]) => parts.map(({ text, differs }) => (differs ? `[${text}]` : text)).join('')

test('the words that differ are marked in both texts', () => {
  expect(differences('Ben: A whale? Of one.', 'Ben: A whale? Of two.').map(marked)).toEqual(['Ben: A whale? Of [one.]', 'Ben: A whale? Of [two.]'])
  expect(differences('Ben: A whale?', 'Ben: A big whale?').map(marked)).toEqual(['Ben: A whale?', 'Ben: A [big ]whale?'])
  expect(differences('你好世界', '你好地球').map(marked)).toEqual(['你好[世界]', '你好[地球]'])
  expect(differences('', 'new').map(marked)).toEqual(['', '[new]'])
  expect(differences('the same', 'the same').map(marked)).toEqual(['the same', 'the same'])
})

test('put together, the parts are the texts; what is not marked is in both', () => {
  const roll = dice(5)
  const text = () => Array.from({ length: roll(9) }, () => ['a', ' ', 'word', '世界', ', ', 'x. '][roll(6)]).join('')
  for (let turn = 0; turn < 400; turn += 1) {
    const [one, two] = [text(), text()]
    const [left, right] = differences(one, two)
    expect([left, right].map((parts) => parts.map((part) => part.text).join(''))).toEqual([one, two])
    const kept = (parts: Part[]) => parts.filter((part) => !part.differs).map((part) => part.text).join('')
    expect(kept(left)).toBe(kept(right))
  }
})
