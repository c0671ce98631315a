// Which words of two texts differ.

import { common } from './conflict'
import { pieces } from './words'

/** A part of a text, and whether the other one does not have it there. */
export type Part = { text: string; differs: boolean }

/** The words of a text with what stands between them: put together they are the text. */
function tokens(text: string): string[] {
  const made: string[] = []
  let at = 0
  for (const { from, to } of pieces(text)) {
    if (from > at) made.push(text.slice(at, from))
    made.push(text.slice(from, to))
    at = to
  }
  if (at < text.length) made.push(text.slice(at))
  return made
}

/** Two texts in parts, with what only one of them has marked in each. */
export function differences(one: string, two: string): [Part[], Part[]] {
  const [left, right] = [tokens(one), tokens(two)]
  const same = common(left.length, right.length, (row, column) => left[row] === right[column])
  const parts = (words: string[], kept: Set<number>) => {
    const made: Part[] = []
    for (const [at, text] of words.entries()) {
      const differs = !kept.has(at)
      const last = made[made.length - 1]
      if (last && last.differs === differs) last.text += text
      else made.push({ text, differs })
    }
    return made
  }
  return [parts(left, new Set(same.map(([row]) => row))), parts(right, new Set(same.map(([, column]) => column)))]
}
