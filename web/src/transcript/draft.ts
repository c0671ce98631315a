// The copy of an edit that this browser keeps until the daemon has it.

import { newKey, type Line } from './lines'

/** What somebody has written on top of a revision. */
export type Draft = { revision: string; lines: readonly Line[]; at: number }

/** A draft as text. Words are left out: they are worked out again. */
export function pack(draft: Draft): string {
  return JSON.stringify({ ...draft, lines: draft.lines.map((line) => [line.start, line.end, line.text]) })
}

/** A draft of a text; null for anything else. */
export function unpack(text: string | null): Draft | null {
  if (!text) return null
  try {
    const { revision, lines, at } = JSON.parse(text) as { revision: unknown; lines: unknown; at: unknown }
    if (typeof revision !== 'string' || typeof at !== 'number' || !Array.isArray(lines)) return null
    const made = lines.map((entry: unknown) => {
      const [start, end, said] = entry as [unknown, unknown, unknown]
      if (typeof start !== 'number' || typeof end !== 'number' || typeof said !== 'string') throw new TypeError('no line')
      return { key: newKey(), start, end, text: said }
    })
    return { revision, lines: made, at }
  } catch {
    return null
  }
}
