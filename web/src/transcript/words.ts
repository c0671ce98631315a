// The words of a line with their places and times: as they were heard, as an edit left them, or estimated by their lengths.

import type { Heard, Line, Word } from './lines'

const known = new WeakMap<Line, readonly Word[]>()

/** The words of a line, in order. Worked out when first asked for. */
export function wordsOf(line: Line): readonly Word[] {
  if (line.words) return line.words
  let words = known.get(line)
  if (!words) {
    words = (line.heard && located(line.text, line.heard)) ?? spread(line.text, 0, line.text.length, line.start, line.end)
    known.set(line, words)
  }
  return words
}

/** Words found in the text one after the other; null when too many are not in it to be believed. */
function located(text: string, heard: readonly Heard[]): Word[] | null {
  const words: Word[] = []
  let at = 0
  for (const { word, start, end } of heard) {
    const plain = word.trim()
    const from = plain ? text.indexOf(plain, at) : -1
    if (from < 0) continue
    at = from + plain.length
    words.push({ from, to: at, start, end })
  }
  return words.length * 2 >= heard.length && words.length > 0 ? words : null
}

const segmenter = typeof Intl.Segmenter === 'function' ? new Intl.Segmenter(undefined, { granularity: 'word' }) : null

/** The places of the words in a part of a text; marks belong to the word before them. Chinese and Japanese are cut into words, too. */
export function pieces(text: string, from = 0, to = text.length): { from: number; to: number }[] {
  const part = text.slice(from, to)
  const found: { from: number; to: number }[] = []
  const add = (at: number, length: number, isWord: boolean, mark: string) => {
    const before = found[found.length - 1]
    if (isWord) found.push({ from: from + at, to: from + at + length })
    else if (before && mark.trim() && before.to === from + at) before.to += length
  }
  if (segmenter) for (const { segment, index, isWordLike } of segmenter.segment(part)) add(index, segment.length, !!isWordLike, segment)
  else for (const hit of part.matchAll(/\S+/g)) add(hit.index, hit[0].length, true, hit[0])
  return found
}

/** Words of a part of a text, their times in proportion to their lengths. */
export function spread(text: string, from: number, to: number, start: number, end: number): Word[] {
  const places = pieces(text, from, to)
  const whole = places.reduce((sum, place) => sum + place.to - place.from, 0)
  let said = 0
  const time = () => start + ((end - start) * said) / whole
  return places.map((place) => {
    const begins = time()
    said += place.to - place.from
    return { ...place, start: begins, end: time() }
  })
}

/** The least time that words which were put in get for each of their letters, as a part of what a letter of the line has. */
const least = 1 / 3

/**
 * The words after a text has changed: those outside the change keep their times, the others share the time between, by their letters.
 * Where hardly any time is between, the words beside it share theirs with them.
 */
export function retimed(line: Line, text: string): Word[] {
  const old = line.text
  const shorter = Math.min(old.length, text.length)
  let prefix = 0
  while (prefix < shorter && old[prefix] === text[prefix]) prefix += 1
  let suffix = 0
  while (suffix < shorter - prefix && old[old.length - 1 - suffix] === text[text.length - 1 - suffix]) suffix += 1
  const words = wordsOf(line)
  const moved = text.length - old.length
  // A word that touches the change has changed itself, unless a blank stands between.
  const touches = (at: number) => at > 0 && at < text.length && !/\s/.test(text[at - 1]!) && !/\s/.test(text[at]!)
  const before = words.filter((word) => word.to < prefix || (word.to === prefix && !touches(prefix)))
  const first = old.length - suffix
  const after = words
    .filter((word) => word.from > first || (word.from === first && word.from >= prefix && !touches(first + moved)))
    .map((word) => ({ ...word, from: word.from + moved, to: word.to + moved }))
  const pace = (line.end - line.start) / Math.max(1, text.replace(/\s/g, '').length)
  for (let [keep, skip] = [before.length, 0]; ; [keep, skip] = [Math.max(0, keep - 1), Math.min(after.length, skip + 1)]) {
    const [left, right] = [before[keep - 1], after[skip]]
    const [start, end] = [left?.end ?? line.start, right?.start ?? line.end]
    const between = spread(text, left?.to ?? 0, right?.from ?? text.length, start, end)
    const letters = between.reduce((sum, word) => sum + word.to - word.from, 0)
    if (end - start >= least * pace * letters || (!left && !right)) return [...before.slice(0, keep), ...between, ...after.slice(skip)]
  }
}
