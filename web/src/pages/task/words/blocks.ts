import type { Line } from '../../../transcript/lines'

/** How many lines a block has. */
const size = 50

/** Lines that are drawn together. */
export type Block = { key: number; lines: readonly Line[] }

/** Cuts lines into blocks. A block whose lines are the same is the same object again, so that nothing of it is drawn anew. */
export class Blocks {
  #last: Block[] = []

  /** The blocks of a list. */
  of(lines: readonly Line[]): Block[] {
    const made: Block[] = []
    for (let from = 0; from < lines.length; from += size) {
      const part = lines.slice(from, from + size)
      const before = this.#last[made.length]
      const isSame = before?.lines.length === part.length && before.lines.every((line, at) => line === part[at])
      made.push(isSame ? before : { key: from, lines: part })
    }
    this.#last = made
    return made
  }
}
