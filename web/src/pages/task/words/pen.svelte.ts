// Editing line by line: which line is written in, and what keys do to it.

import { join, remove, split, type, type Edited } from '../../../transcript/edits'
import type { Manuscript } from './manuscript.svelte'

/** Where the caret is, and the edits that keys make. */
export class Pen {
  /** The line that is written in; 0 for none. */
  key = $state(0)
  /** Where the caret goes when a line is taken up. */
  caret = 0
  on = $state(false)
  /** Grows whenever the caret is put somewhere. */
  turn = $state(0)

  constructor(readonly manuscript: Manuscript) {}

  get at(): number {
    return this.manuscript.lines.findIndex((line) => line.key === this.key)
  }

  /** Takes up a line. One that was left empty goes away. */
  take(key: number, caret = 0): void {
    const left = this.key
    this.caret = caret
    this.key = key
    this.turn += 1
    if (left !== key) this.#leave(left)
  }

  /** Puts the pen down; what was written is saved. */
  down(): void {
    const left = this.key
    this.on = false
    this.key = 0
    this.#leave(left)
    void this.manuscript.save()
  }

  /** The line's text is another one now. */
  write(text: string): void {
    this.manuscript.edit(type(this.manuscript.lines, this.at, text), `type ${this.key}`)
  }

  split(caret: number): boolean {
    return this.#did(split(this.manuscript.lines, this.at, caret))
  }
  join(): boolean {
    return this.#did(join(this.manuscript.lines, this.at))
  }
  joinNext(): boolean {
    return this.#did(join(this.manuscript.lines, this.at + 1))
  }
  remove(): boolean {
    return this.#did(remove(this.manuscript.lines, this.at))
  }

  /** Goes to another line; its caret stands at the beginning or the end. */
  move(by: 1 | -1): boolean {
    const line = this.manuscript.lines[this.at + by]
    if (line) this.take(line.key, by > 0 ? 0 : line.text.length)
    return !!line
  }

  undo(): void {
    this.manuscript.undo()
    this.#stay()
  }
  redo(): void {
    this.manuscript.redo()
    this.#stay()
  }

  #leave(key: number): void {
    const { lines } = this.manuscript
    const at = lines.findIndex((line) => line.key === key)
    if (lines[at]?.text.trim() === '') this.manuscript.edit(lines.toSpliced(at, 1))
  }

  #did(edited: Edited | null): boolean {
    if (!edited) return false
    this.manuscript.edit(edited.lines)
    this.take(edited.key, edited.caret)
    return true
  }

  /** The line may be gone after an undo. */
  #stay(): void {
    if (this.key && this.at < 0) this.take(this.manuscript.lines[0]?.key ?? 0)
  }
}
