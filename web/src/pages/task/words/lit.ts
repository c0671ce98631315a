// Words lit up without touching the document: ranges in the browser's highlight registry. Where it has none, the line is lit alone.

import type { Match } from '../../../transcript/find'
import type { Line } from '../../../transcript/lines'
import { wordsOf } from '../../../transcript/words'

/** The element of a line. */
export const rowOf = (key: number): HTMLElement | null => document.getElementById(`line-${key}`)

/** Puts the focus on a line, so that keys go on from there. */
export function focusOn(key: number): void {
  const row = rowOf(key)
  if (!row) return
  row.tabIndex = -1
  row.focus({ preventScroll: true })
}

/** The key of the line that has the focus; 0 for none. */
export const focusedLine = (): number => keyOf(document.activeElement)

const keyOf = (element: Element | null) => Number(element?.closest<HTMLElement>('.words [data-key]')?.dataset.key ?? 0)

/** Whether a line can be seen. */
export function isInSight(key: number): boolean {
  const at = rowOf(key)?.getBoundingClientRect()
  return !!at && at.bottom > 0 && at.top < innerHeight
}

/** The key of the first line that can be seen below what lies over the words. */
export function firstInSight(): number {
  const box = document.querySelector('.words')?.getBoundingClientRect()
  for (let y = Math.max(0, box?.top ?? 0) + 1; box && y < innerHeight; y += 12) {
    const key = keyOf(document.elementFromPoint(box.left + box.width / 2, y))
    if (key) return key
  }
  return 0
}

const registry = (): HighlightRegistry | null => (typeof Highlight === 'function' && 'highlights' in CSS ? CSS.highlights : null)

/** A range over characters of a line; null where the line is not drawn as one text. */
function range(key: number, from: number, to: number): Range | null {
  const text = rowOf(key)?.querySelector('p')?.firstChild
  if (!(text instanceof Text) || to > text.length) return null
  const made = document.createRange()
  made.setStart(text, from)
  made.setEnd(text, to)
  return made
}

/** Lights ranges under a name; the stylesheet says how. */
export function light(name: string, matches: readonly Match[]): void {
  const ranges = matches.map((match) => range(match.key, match.from, match.to)).filter((each) => each !== null)
  if (ranges.length) registry()?.set(name, new Highlight(...ranges))
  else registry()?.delete(name)
}

/** The line and the word that are spoken now. */
export class Spoken {
  #row: HTMLElement | null = null
  /** The key of the line; 0 for none. */
  key = 0
  #word = -2

  /** Lights a word of a line. */
  show(line: Line | null, word: number): void {
    const key = line?.key ?? 0
    // A row may have been drawn anew, after an edit or a switch of script.
    if (key !== this.key || !this.#row?.isConnected) {
      this.#row?.removeAttribute('aria-current')
      this.#row = line ? rowOf(line.key) : null
      this.#row?.setAttribute('aria-current', 'true')
    } else if (word === this.#word) return
    this.key = key
    this.#word = word
    const place = line && word >= 0 ? wordsOf(line)[word] : undefined
    light('spoken', line && place ? [{ key, from: place.from, to: place.to }] : [])
  }

  /** Lights what was lit once more: its text is another one now. */
  again(): void {
    this.#word = -2
  }
}

/** Which character of a line's text is at a point of the screen. */
export function placeAt(x: number, y: number): number | null {
  const at = document.caretPositionFromPoint?.(x, y)
  if (at) return at.offsetNode instanceof Text ? at.offset : null
  const old = document.caretRangeFromPoint?.(x, y)
  return old?.startContainer instanceof Text ? old.startOffset : null
}
