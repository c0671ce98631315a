import type { Line } from '../../../transcript/lines'

/** How many lines a block has when it is cut. */
const size = 50
/** So many it may grow to. */
const most = 75

/** Lines that are drawn together. */
export type Block = { key: number; lines: readonly Line[] }

/**
 * Cuts lines into blocks. A block whose lines are the same is the same object again, also where lines have come or gone before it:
 * nothing of it is drawn anew.
 */
export class Blocks {
  #last: readonly Block[] = []
  #keys = 0

  /** The blocks of a list. */
  of(lines: readonly Line[]): readonly Block[] {
    const last = this.#last
    const stands = (block: Block, from: number) => block.lines.every((line, at) => line === lines[from + at])
    let [first, from] = [0, 0]
    for (; first < last.length && stands(last[first]!, from); first += 1) from += last[first]!.lines.length
    let [end, to] = [last.length, lines.length]
    for (; end > first; end -= 1) {
      const before = to - last[end - 1]!.lines.length
      if (before < from || !stands(last[end - 1]!, before)) break
      to = before
    }
    const made = [...last.slice(0, first), ...this.#cut(lines.slice(from, to), last.slice(first, end)), ...last.slice(end)]
    this.#last = made
    return made
  }

  /** Blocks of lines that are other ones, in place of blocks. */
  #cut(lines: readonly Line[], before: readonly Block[]): Block[] {
    const parts: (readonly Line[])[] = []
    if (lines.length && lines.length <= most) parts.push(lines)
    else for (let from = 0; from < lines.length; from += size) parts.push(lines.slice(from, from + size))
    return parts.map((part, at) => ({ key: before[at]?.key ?? ++this.#keys, lines: part }))
  }
}
