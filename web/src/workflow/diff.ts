// What has changed between two texts, line by line.

/** A line of the difference: its number in each text that has it. */
export interface Line {
  kind: 'same' | 'added' | 'removed'
  before: number | undefined
  after: number | undefined
  text: string
}

/** Lines that are shown, or how many that are the same are folded away. */
export type Hunk = { folded: number; lines?: undefined } | { folded: 0; lines: Line[] }

// The table below has a cell for each pair of lines; texts whose middles are longer are shown as wholly changed.
const MOST_CELLS = 4_000_000

/** Compares two texts. */
export function diff(before: string, after: string): Line[] {
  const [a, b] = [split(before), split(after)]
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++
  const same = (i: number, j: number): Line => ({ kind: 'same', before: i + 1, after: j + 1, text: a[i]! })
  const top = Array.from({ length: head }, (_, i) => same(i, i))
  const bottom = Array.from({ length: tail }, (_, i) => same(a.length - tail + i, b.length - tail + i))
  return [...top, ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail), head), ...bottom]
}

function split(text: string): string[] {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

function middle(a: string[], b: string[], head: number): Line[] {
  const removed = (i: number): Line => ({ kind: 'removed', before: head + i + 1, after: undefined, text: a[i]! })
  const added = (j: number): Line => ({ kind: 'added', before: undefined, after: head + j + 1, text: b[j]! })
  if (a.length * b.length > MOST_CELLS) return [...a.map((_, i) => removed(i)), ...b.map((_, j) => added(j))]
  const width = b.length + 1
  // The longest common lines of what is left from i and j on.
  const longest = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] = a[i] === b[j]
        ? longest[(i + 1) * width + j + 1]! + 1
        : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!)
    }
  }
  const lines: Line[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: 'same', before: head + i + 1, after: head + j + 1, text: a[i]! })
      i++
      j++
    } else if (j >= b.length || (i < a.length && longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!)) lines.push(removed(i++))
    else lines.push(added(j++))
  }
  return lines
}

/** Leaves out what is the same, but for some lines around each change. */
export function fold(lines: Line[], around = 3): Hunk[] {
  const near = new Set<number>()
  lines.forEach(({ kind }, index) => {
    if (kind !== 'same') for (let at = index - around; at <= index + around; at++) near.add(at)
  })
  const hunks: Hunk[] = []
  lines.forEach((line, index) => {
    const last = hunks.at(-1)
    // One line takes no more room than the note that it is folded.
    const isShown = near.has(index) || (near.has(index - 1) && near.has(index + 1))
    if (isShown && last?.lines) last.lines.push(line)
    else if (isShown) hunks.push({ folded: 0, lines: [line] })
    else if (last && !last.lines) last.folded++
    else hunks.push({ folded: 1 })
  })
  return hunks
}
