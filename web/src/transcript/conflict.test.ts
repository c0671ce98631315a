import { expect, test } from 'vitest'
import { compare, merged, pairs } from './conflict'
import { pack, unpack } from './draft'
import { type } from './edits'
import { copied, dice, spoken } from './fixture'
import { same, sameLine, type Line } from './lines'

const base = Array.from({ length: 9 }, (_, at) => spoken(at, at + 1, `line ${at}`))
const texts = (lines: readonly Line[]) => lines.map((line) => line.text)

test('what only one has changed is taken from that one', () => {
  const mine = type(copied(base), 2, 'mine 2')
  const theirs = type(copied(base), 6, 'theirs 6')
  const stretches = compare(base, mine, theirs)
  expect(stretches.map((each) => each.kind)).toEqual(['same', 'mine', 'same', 'theirs', 'same'])
  expect(texts(merged(stretches, () => 'mine'))).toEqual(texts(base).with(2, 'mine 2').with(6, 'theirs 6'))
})

test('where both changed the same, one of them is chosen; where they agree, none', () => {
  const stretches = compare(base, type(copied(base), 4, 'mine'), type(copied(base), 4, 'theirs').toSpliced(8, 1))
  expect(stretches.map((each) => each.kind)).toEqual(['same', 'both', 'same', 'theirs'])
  expect(texts(merged(stretches, () => 'theirs'))[4]).toBe('theirs')
  expect(texts(merged(stretches, () => 'mine'))[4]).toBe('mine')
  expect(merged(stretches, () => 'mine')).toHaveLength(8)
  expect(compare(base, type(base, 1, 'x'), type(copied(base), 1, 'x')).every((each) => each.kind === 'same')).toBe(true)
  expect(compare([], [], [])).toEqual([])
})

test('neighbours do not decide for each other', () => {
  const mine = type(type(copied(base), 4, 'mine 4'), 5, 'mine 5')
  const stretches = compare(base, mine, type(copied(base), 4, 'theirs 4'))
  expect(stretches.map((each) => each.kind)).toEqual(['same', 'both', 'mine', 'same'])
  expect(texts(merged(stretches, () => 'theirs')).slice(4, 6)).toEqual(['theirs 4', 'mine 5'])
})

test('any two edits: nothing is lost, and times do not overlap', () => {
  const roll = dice(11)
  const edited = () => {
    let lines: readonly Line[] = copied(base)
    for (let turn = roll(5); turn >= 0; turn -= 1) {
      const at = roll(lines.length)
      lines = roll(2) ? lines.toSpliced(at, 1 + roll(2)) : type(lines, at, `new ${roll(99)}`)
    }
    return lines
  }
  for (let turn = 0; turn < 500; turn += 1) {
    const [mine, theirs] = [edited(), edited()]
    const stretches = compare(base, mine, theirs)
    expect(same(stretches.flatMap((each) => each.mine), mine) || stretches.some((each) => each.kind === 'theirs')).toBe(true)
    expect(texts(stretches.flatMap((each) => each.mine))).toEqual(texts(mine))
    expect(texts(stretches.flatMap((each) => each.theirs))).toEqual(texts(theirs))
    const both = merged(stretches, () => (roll(2) ? 'mine' : 'theirs'))
    for (const [at, line] of both.entries()) if (at) expect(line.start).toBeGreaterThanOrEqual(both[at - 1]!.end)
    const found = pairs(mine, theirs)
    for (const [at, [one, two]] of found.entries()) {
      expect(sameLine(mine[one]!, theirs[two]!)).toBe(true)
      if (at) expect(one > found[at - 1]![0] && two > found[at - 1]![1]).toBe(true)
    }
  }
})

test('a long text is compared quickly, and one that is all new at least ends', () => {
  const long = Array.from({ length: 5000 }, (_, at) => spoken(at, at + 1, `line ${at}`))
  const other = long.map((line, at) => (at % 1000 === 3 ? { ...line, text: 'x' } : line))
  const since = performance.now()
  expect(compare(long, other, copied(long)).filter((each) => each.kind === 'mine')).toHaveLength(5)
  expect(performance.now() - since).toBeLessThan(1000)
  expect(pairs(long, long.map((line) => ({ ...line, text: 'y' })), 200)).toEqual([])
})

test('a draft comes back as it was; anything else is none', () => {
  const draft = { revision: '"2"', lines: base, at: 5 }
  const back = unpack(pack(draft))!
  expect(same(back.lines, base)).toBe(true)
  expect(back).toMatchObject({ revision: '"2"', at: 5 })
  for (const text of [null, '', '{', '[]', 'null', '{"revision":"1","at":1,"lines":[[1,"2",3]]}', '{"revision":1,"lines":[],"at":1}']) expect(unpack(text)).toBeNull()
})
