// From a time to a line and a word, and back.

import type { Line } from './lines'
import { wordsOf } from './words'

/** The line that is said at a time: the last one that has begun; -1 before the first. `near` is a guess that is often right. */
export function lineAt(lines: readonly Line[], time: number, near = -1): number {
  for (const guess of [near, near + 1]) {
    const line = lines[guess]
    if (line && line.start <= time && time < (lines[guess + 1]?.start ?? Infinity)) return guess
  }
  let [low, high] = [0, lines.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (lines[middle]!.start <= time) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** The word of a line that is said at a time: the last one that has begun, until the line ends; -1 for none. */
export function wordAt(line: Line, time: number): number {
  if (time < line.start || time > line.end + 0.25) return -1
  const words = wordsOf(line)
  let at = -1
  while (at + 1 < words.length && words[at + 1]!.start <= time) at += 1
  return at
}

/** When the character at a place is said: the start of its word, or of the next one where it stands between words. */
export function timeOf(line: Line, place: number): number {
  const words = wordsOf(line)
  return (words.find((word) => place < word.to) ?? words[words.length - 1])?.start ?? line.start
}
