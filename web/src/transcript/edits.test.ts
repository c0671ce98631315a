import { expect, test } from 'vitest'
import { join, remove, split, type, withoutEmpty } from './edits'
import { dice, spoken } from './fixture'
import { History } from './history'
import { correction, isDoubtful, line, same, type Line } from './lines'
import { wordsOf } from './words'

const three = () => [spoken(0, 2, 'one two'), spoken(2, 6, 'three four five'), spoken(7, 8, 'six')]
const texts = (lines: readonly Line[]) => lines.map((line) => line.text)

test('a line is split where the caret is, and its time where the word begins', () => {
  const made = split(three(), 1, 6)!
  expect(texts(made.lines)).toEqual(['one two', 'three', 'four five', 'six'])
  expect(made.lines[1]!.end).toBeCloseTo(made.lines[2]!.start)
  expect(made.lines[2]!.end).toBe(6)
  expect(made).toMatchObject({ key: made.lines[2]!.key, caret: 0 })
  expect(split(three(), 1, 0)).toBeNull()
  expect(split(three(), 1, 15)).toBeNull()
  const cut = split([spoken(0, 4, '你好世界')], 0, 1)!
  expect(texts(cut.lines)).toEqual(['你', '好世界'])
})

test('a line that got longer is split into two that can be read', () => {
  const heard = line({ start: 2.41, end: 6.31, text: 'one two', words: [{ word: ' one', start: 2.41, end: 4 }, { word: ' two', start: 4, end: 6.31 }] })
  // Letter by letter, as somebody types.
  let lines: readonly Line[] = [heard]
  for (const letter of ' three four five') lines = type(lines, 0, lines[0]!.text + letter)
  const made = split(lines, 0, 'one two three'.length)!
  expect(texts(made.lines)).toEqual(['one two three', 'four five'])
  for (const each of made.lines) expect(each.end - each.start).toBeGreaterThan(0.5)
  expect(made.lines[1]!.start).toBeGreaterThanOrEqual(made.lines[0]!.end)
  expect(made.lines[1]!.end).toBe(6.31)
})

test('whatever is typed into whatever was heard, no half of a split is without time', () => {
  const roll = dice(23)
  const put = ['a', ' ', 'word ', ' 世界', 'longer ', '. ', 'x']
  for (let turn = 0; turn < 300; turn += 1) {
    // Times as models give them: words without any length, and words beyond the end.
    const count = 1 + roll(6)
    let time = 10
    const words = Array.from({ length: count }, (_, at) => ({ word: ` w${at}`, start: time, end: (time += roll(3) * 0.3) }))
    const end = 10 + 0.5 + roll(30) / 10
    let lines: readonly Line[] = [line({ start: 10, end, text: words.map(({ word }) => word).join('').trim(), words })]
    for (let times = roll(12); times > 0; times -= 1) {
      const text = lines[0]!.text
      const at = roll(3) ? text.length : roll(text.length + 1)
      lines = type(lines, 0, text.slice(0, at) + put[roll(put.length)] + text.slice(at + (roll(4) ? 0 : roll(3))))
    }
    const text = lines[0]!.text
    const made = split(lines, 0, roll(text.length + 1))
    if (!made) continue
    const whole = made.lines.reduce((sum, each) => sum + each.text.length, 0)
    for (const each of made.lines) {
      expect(each.end - each.start, `${each.text} of ${text}`).toBeGreaterThanOrEqual((0.24 * (end - 10) * each.text.length) / whole)
      expect(each.end).toBeLessThanOrEqual(end)
    }
    const [one, two] = correction(made.lines)
    expect(two!.start).toBeGreaterThanOrEqual(one!.end)
  }
})

test('lines without text go away, but for the one that is written in', () => {
  const lines = type(type(three(), 1, ''), 0, ' ')
  expect(texts(withoutEmpty(lines))).toEqual(['six'])
  expect(texts(withoutEmpty(lines, lines[1]!.key))).toEqual(['', 'six'])
  const full = three()
  expect(withoutEmpty(full)).toBe(full)
})

test('joining undoes a split, with and without blanks between words', () => {
  const made = split(three(), 1, 6)!
  const back = join(made.lines, 2)!
  expect(texts(back.lines)).toEqual(texts(three()))
  expect(back.caret).toBe(6)
  expect(texts(join([spoken(0, 1, '你好'), spoken(1, 2, '世界')], 1)!.lines)).toEqual(['你好世界'])
  expect(texts(join([spoken(0, 1, '你好。'), spoken(1, 2, 'hello')], 1)!.lines)).toEqual(['你好。hello'])
  expect(join(three(), 0)).toBeNull()
})

test('a line goes away and the caret stands where it was', () => {
  expect(remove(three(), 1)).toMatchObject({ caret: 7 })
  expect(texts(remove(three(), 0)!.lines)).toEqual(['three four five', 'six'])
  expect(remove([], 0)).toBeNull()
})

/** What is wrong with lines, in words. */
function broken(lines: readonly Line[]): string[] {
  const wrong: string[] = []
  let ended = 0
  for (const line of lines) {
    if (line.start < ended - 1e-9 || line.end < line.start) wrong.push(`times of "${line.text}"`)
    ended = line.end
    let [place, time] = [0, line.start]
    for (const word of wordsOf(line)) {
      if (word.from < place || word.to > line.text.length || word.start < time - 1e-6) wrong.push(`word at ${word.from} of "${line.text}"`)
      ;[place, time] = [word.to, word.start]
    }
  }
  let last = 0
  for (const each of correction(lines)) {
    if (each.start < last) wrong.push(`sent: ${each.text}`)
    last = each.end
  }
  return wrong
}

test('whatever is edited, times stay in order and words stay within their text', () => {
  const roll = dice(7)
  let lines: readonly Line[] = three()
  for (let turn = 0; turn < 1500; turn += 1) {
    const at = roll(lines.length)
    const text = lines[at]?.text ?? ''
    const place = roll(text.length + 1)
    const put = ['', ' ', 'é', '世界', 'word ', '. '][roll(6)]!
    const made = [
      () => split(lines, at, place)?.lines,
      () => join(lines, at)?.lines,
      () => (lines.length > 8 ? remove(lines, at)?.lines : null),
      () => type(lines, at, text.slice(0, place) + put + text.slice(place + roll(4))),
    ][roll(4)]!()
    lines = made ?? lines
    expect(broken(lines)).toEqual([])
  }
})

test('undo goes back step by step; typing in one line is one step', () => {
  let now = 0
  const history = new History<readonly Line[]>(three(), () => now)
  const first = history.state
  for (const text of ['o', 'on', 'one!']) history.push(type(history.state, 0, text), 'type 1')
  now = 5000
  history.push(type(history.state, 0, 'one more'), 'type 1')
  expect(texts(history.undo())[0]).toBe('one!')
  expect(same(history.undo(), first)).toBe(true)
  expect(history.canUndo).toBe(false)
  expect(texts(history.redo())[0]).toBe('one!')
  history.push(remove(history.state, 2)!.lines)
  expect(history.canRedo).toBe(false)
  for (let turn = 0; turn < 400; turn += 1) history.push([])
  expect(history.canUndo).toBe(true)
})

test('what is sent has text, and whole milliseconds in order', () => {
  expect(correction([spoken(0, 1.00049, ' a '), spoken(1.0001, 1.0002, 'b'), spoken(3, 4, '  ')])).toEqual([
    { start: 0, end: 1, text: 'a' },
    { start: 1, end: 1, text: 'b' },
  ])
})

test('what the model doubts', () => {
  expect(isDoubtful({ start: 0, end: 1, text: 'a', no_speech_prob: 0.9, avg_logprob: -1.4 })).toBe(true)
  expect(isDoubtful({ start: 0, end: 1, text: 'a', no_speech_prob: 0.9, avg_logprob: -0.3 })).toBe(false)
  expect(isDoubtful({ start: 0, end: 1, text: 'a', compression_ratio: 3 })).toBe(true)
  expect(isDoubtful({ start: 0, end: 1, text: 'a' })).toBe(false)
})
