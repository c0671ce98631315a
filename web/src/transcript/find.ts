// Find and replace.

import { type as retype } from './edits'
import type { Line } from './lines'

/** What is looked for. */
export type Query = { text: string; whole: boolean; matchCase: boolean }

/** A place where it stands: the line's key, and characters of its text. */
export type Match = { key: number; from: number; to: number }

const letter = /[\p{L}\p{N}\p{M}_]/u
/** Scripts without blanks: there a word's end cannot be seen, so every place is one. */
const unspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}ー]/u

const goesOn = (char: string | undefined) => !!char && letter.test(char) && !unspaced.test(char)
const before = (text: string, at: number) => [...text.slice(Math.max(0, at - 2), at)].pop()
const after = (text: string, at: number) => [...text.slice(at, at + 2)][0]

function isWhole(text: string, from: number, to: number): boolean {
  const opens = goesOn(after(text, from)) && goesOn(before(text, from))
  const closes = goesOn(before(text, to)) && goesOn(after(text, to))
  return !opens && !closes
}

/** The places in one text. */
export function places(text: string, query: Query): { from: number; to: number }[] {
  if (!query.text) return []
  const pattern = new RegExp(query.text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), query.matchCase ? 'gu' : 'giu')
  const hits = [...text.matchAll(pattern)].map((hit) => ({ from: hit.index, to: hit.index + hit[0].length }))
  return query.whole ? hits.filter((hit) => isWhole(text, hit.from, hit.to)) : hits
}

/** All places, in order. */
export function find(lines: readonly Line[], query: Query): Match[] {
  return lines.flatMap((line) => places(line.text, query).map((place) => ({ key: line.key, ...place })))
}

/** The next place after another, or the one before it, around the ends; -1 when there is none. */
export function step(matches: readonly Match[], now: number, by: 1 | -1): number {
  if (matches.length === 0) return -1
  return now < 0 ? (by > 0 ? 0 : matches.length - 1) : (now + by + matches.length) % matches.length
}

/** The first place in a line or after it, by the line's key; the very first where none is, -1 where there are none at all. */
export function placeFrom(lines: readonly Line[], matches: readonly Match[], key: number): number {
  const from = lines.findIndex((line) => line.key === key)
  const after = new Set(lines.slice(Math.max(0, from)).map((line) => line.key))
  const found = matches.findIndex((match) => after.has(match.key))
  return found < 0 && matches.length ? 0 : found
}

/** Puts another text in one place. */
export function replaceOne(lines: readonly Line[], match: Match, by: string): readonly Line[] {
  const at = lines.findIndex((line) => line.key === match.key)
  const text = lines[at]?.text
  return text === undefined ? lines : retype(lines, at, text.slice(0, match.from) + by + text.slice(match.to))
}

/** Puts another text in every place; says in how many. */
export function replaceAll(lines: readonly Line[], query: Query, by: string): { lines: readonly Line[]; count: number } {
  let count = 0
  const made = lines.map((line, at) => {
    const hits = places(line.text, query)
    if (hits.length === 0) return line
    count += hits.length
    let [text, end] = ['', 0]
    for (const hit of hits) {
      text += line.text.slice(end, hit.from) + by
      end = hit.to
    }
    return retype(lines, at, text + line.text.slice(end))[at]!
  })
  return { lines: count ? made : lines, count }
}
