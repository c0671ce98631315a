// How fast a line must be read.

import type { Line } from './lines'

const wide = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/gu

/** Characters in a second that people can still read: fewer where each character is a syllable or a word. */
const most = { wide: 11, other: 20 }

/** A line's characters in a second, and whether that is too fast to read. Blanks do not count. */
export function speed(line: Pick<Line, 'start' | 'end' | 'text'>): { cps: number; most: number; isFast: boolean } {
  const text = line.text.replace(/\s+/g, '')
  const count = [...text].length
  const limit = (text.match(wide)?.length ?? 0) * 2 > count ? most.wide : most.other
  const cps = count === 0 ? 0 : count / Math.max(0.001, line.end - line.start)
  return { cps, most: limit, isFast: cps > limit }
}
