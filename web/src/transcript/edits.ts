// What can be done to lines. Every function gives new lines and leaves the old ones alone; null means that nothing changes.

import { newKey, type Line, type Word } from './lines'
import { retimed, spread, wordsOf } from './words'

/** Lines after an edit, and where the caret goes. */
export type Edited = { lines: readonly Line[]; key: number; caret: number }

const replaced = (lines: readonly Line[], at: number, drop: number, ...put: Line[]) => lines.toSpliced(at, drop, ...put)
const shifted = (words: readonly Word[], by: number) => words.map((word) => ({ ...word, from: word.from + by, to: word.to + by }))

/** A line with another text. */
export function typed(line: Line, text: string): Line {
  return { key: line.key, start: line.start, end: line.end, text, words: retimed(line, text) }
}

/** Gives a line another text. */
export function type(lines: readonly Line[], at: number, text: string): readonly Line[] {
  const line = lines[at]
  return !line || line.text === text ? lines : replaced(lines, at, 1, typed(line, text))
}

/** How little of its share of the time a half may get, before the words' times are not believed. */
const least = 1 / 4

/** The words before a place of a text and those after it; one that is cut in two shares its time. */
function parted(words: readonly Word[], caret: number, left: number, right: number): [Word[], Word[]] {
  const [before, after]: [Word[], Word[]] = [[], []]
  for (const word of words) {
    if (word.to <= caret) before.push(word)
    else if (word.from >= caret) after.push(word)
    else {
      const cut = word.start + ((word.end - word.start) * (caret - word.from)) / (word.to - word.from)
      before.push({ ...word, to: left, end: cut })
      after.push({ ...word, from: right, start: cut })
    }
  }
  return [before, after]
}

/** Splits a line at a place of its text, and its time where the word begins there; neither half is left without time. */
export function split(lines: readonly Line[], at: number, caret: number): Edited | null {
  const line = lines[at]
  if (!line) return null
  const left = line.text.slice(0, caret).trimEnd()
  const rest = line.text.slice(caret)
  const right = rest.trim()
  if (!left.trim() || !right) return null
  const skipped = caret + rest.length - rest.trimStart().length
  const share = left.length / (left.length + right.length)
  const length = line.end - line.start
  const middle = line.start + length * share
  let [before, after] = parted(wordsOf(line), caret, left.length, skipped)
  let ends = before[before.length - 1]?.end ?? Math.min(middle, after[0]?.start ?? middle)
  let starts = Math.max(ends, after[0]?.start ?? middle)
  if (ends - line.start < least * share * length || line.end - starts < least * (1 - share) * length) {
    ends = starts = middle
    before = spread(line.text, 0, left.length, line.start, middle)
    after = spread(line.text, skipped, line.text.length, middle, line.end)
  }
  const second: Line = { key: newKey(), start: starts, end: Math.max(starts, line.end), text: right, words: shifted(after, -skipped) }
  const first: Line = { key: line.key, start: line.start, end: ends, text: left, words: before }
  return { lines: replaced(lines, at, 1, first, second), key: second.key, caret: 0 }
}

const unspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\u3000-\u303f\uff00-\uffef]/u

/** What stands between two texts that become one: nothing where one side is written without blanks. */
export function blank(left: string, right: string): string {
  const [end, start] = [[...left.slice(-2)].pop() ?? '', [...right.slice(0, 2)][0] ?? '']
  return !end || !start || unspaced.test(end) || unspaced.test(start) ? '' : ' '
}

/** Joins a line to the one before it. */
export function join(lines: readonly Line[], at: number): Edited | null {
  const [one, two] = [lines[at - 1], lines[at]]
  if (!one || !two) return null
  const left = one.text.trimEnd()
  const between = blank(left, two.text)
  const words = [...wordsOf(one), ...shifted(wordsOf(two), left.length + between.length)]
  const both: Line = { key: one.key, start: one.start, end: Math.max(one.end, two.end), text: left + between + two.text, words }
  return { lines: replaced(lines, at - 1, 2, both), key: one.key, caret: left.length + between.length }
}

/** Takes a line away. */
export function remove(lines: readonly Line[], at: number): Edited | null {
  if (!lines[at]) return null
  const near = lines[at - 1] ?? lines[at + 1]
  return { lines: replaced(lines, at, 1), key: near?.key ?? 0, caret: lines[at - 1]?.text.length ?? 0 }
}

/** Without the lines that have no text, but for one that is still written in. */
export function withoutEmpty(lines: readonly Line[], but = 0): readonly Line[] {
  const left = lines.filter((line) => line.text.trim() || line.key === but)
  return left.length === lines.length ? lines : left
}
