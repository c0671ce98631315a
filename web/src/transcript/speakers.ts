// Speakers. The API has no field for them, so a name stands before the text, as in subtitles: `Anna: Good morning.`, `小猫：大家好`.

import { typed } from './edits'
import type { Line } from './lines'

const pattern = /^([\p{L}\p{N}@<[(（【][^:：,，。;；!?！？\n]{0,39})(?:: |:$|：\s*)(?!\/\/)/u

/** A full stop after more than a title such as `Prof.`. */
const sentence = /[\p{L}]{5,}\.(\s|$)/u

/** The name before a text, with its length and that of its mark; null when none stands there. */
export function prefix(text: string): { name: string; length: number } | null {
  const hit = pattern.exec(text)
  const name = hit?.[1]?.trim()
  // Times are no names, and neither are half sentences.
  if (!hit || !name || /^\d+$/.test(name) || name.split(/\s+/).length > 4 || sentence.test(name)) return null
  return { name, length: hit[0].length }
}

/** The speakers with the number of their lines, the busiest first. A name that stands only once is none, unless it is `known`. */
export function speakers(lines: readonly Line[], known: ReadonlySet<string> = new Set()): { name: string; count: number }[] {
  const counts = new Map<string, number>()
  for (const line of lines) {
    const name = prefix(line.text)?.name
    if (name) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const found = [...counts].filter(([name, count]) => count > 1 || known.has(name))
  return found.map(([name, count]) => ({ name, count })).sort((one, other) => other.count - one.count)
}

const wide = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u

/** A name as a text says it: marks that would end it are taken out. */
export const cleanName = (name: string): string => name.replace(/[:：\n\r]/g, ' ').replace(/\s+/g, ' ').trim().slice(0, 40)

/** Text with a name before it; without one when the name is empty. */
export function named(text: string, name: string): string {
  const said = text.slice(prefix(text)?.length ?? 0)
  const plain = cleanName(name)
  return plain ? plain + (wide.test(plain) || wide.test(said.slice(0, 1)) ? '：' : ': ') + said : said
}

/** Calls a speaker by another name, everywhere. An empty name takes it away. */
export function rename(lines: readonly Line[], old: string, name: string): readonly Line[] {
  return lines.map((line) => (prefix(line.text)?.name === old ? typed(line, named(line.text, name)) : line))
}

/** Says who speaks a line. */
export function assign(lines: readonly Line[], at: number, name: string): readonly Line[] {
  const line = lines[at]
  return line ? lines.with(at, typed(line, named(line.text, name))) : lines
}
