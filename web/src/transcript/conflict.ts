// Two people edited the same revision: what each of them changed, side by side.

import { same, sameLine, type Line } from './lines'

/** A stretch of the text. Where `mine` and `theirs` both differ from what was there, somebody must choose. */
export type Stretch = { kind: 'same' | 'mine' | 'theirs' | 'both'; mine: Line[]; theirs: Line[] }

/** Pairs of places with equal lines, in order: the longest such list, found by the shortest way from one list to the other. */
export function pairs(one: readonly Line[], two: readonly Line[], most = 2000): [number, number][] {
  let head = 0
  while (head < one.length && head < two.length && sameLine(one[head]!, two[head]!)) head += 1
  let tail = 0
  while (tail < one.length - head && tail < two.length - head && sameLine(one[one.length - 1 - tail]!, two[two.length - 1 - tail]!)) tail += 1
  const [rows, columns] = [one.length - head - tail, two.length - head - tail]
  const found: [number, number][] = Array.from({ length: head }, (_, at) => [at, at])
  for (const [row, column] of common(rows, columns, (a, b) => sameLine(one[head + a]!, two[head + b]!), most)) found.push([head + row, head + column])
  for (let at = tail; at > 0; at -= 1) found.push([one.length - at, two.length - at])
  return found
}

/** The same for anything whose places can be compared; none when more than `most` differ. */
export function common(rows: number, columns: number, equal: (row: number, column: number) => boolean, most = 2000): [number, number][] {
  const reach = new Map<number, number>([[1, 0]])
  const steps: Map<number, number>[] = []
  for (let cost = 0; cost <= Math.min(rows + columns, most); cost += 1) {
    steps.push(new Map(reach))
    for (let lane = -cost; lane <= cost; lane += 2) {
      const down = lane === -cost || (lane !== cost && (reach.get(lane - 1) ?? -1) < (reach.get(lane + 1) ?? -1))
      let row = down ? (reach.get(lane + 1) ?? 0) : (reach.get(lane - 1) ?? 0) + 1
      while (row < rows && row - lane < columns && equal(row, row - lane)) row += 1
      reach.set(lane, row)
      if (row >= rows && row - lane >= columns) return back(steps, rows, columns)
    }
  }
  return []
}

function back(steps: Map<number, number>[], rows: number, columns: number): [number, number][] {
  const found: [number, number][] = []
  let [row, column] = [rows, columns]
  for (let cost = steps.length - 1; cost >= 0; cost -= 1) {
    const reach = steps[cost]!
    const lane = row - column
    const down = lane === -cost || (lane !== cost && (reach.get(lane - 1) ?? -1) < (reach.get(lane + 1) ?? -1))
    const from = down ? lane + 1 : lane - 1
    const [oldRow, oldColumn] = cost === 0 ? [0, 0] : [reach.get(from) ?? 0, (reach.get(from) ?? 0) - from]
    while (row > oldRow && column > oldColumn) {
      row -= 1
      column -= 1
      found.push([row, column])
    }
    ;[row, column] = [oldRow, oldColumn]
  }
  return found.reverse()
}

function stretch(old: readonly Line[], mine: Line[], theirs: Line[]): Stretch {
  const [changedMine, changedTheirs] = [!same(old, mine), !same(old, theirs)]
  const kind = same(mine, theirs) ? 'same' : changedMine && changedTheirs ? 'both' : changedMine ? 'mine' : 'theirs'
  return { kind, mine, theirs }
}

/** What became of `base` in two hands, from beginning to end. */
export function compare(base: readonly Line[], mine: readonly Line[], theirs: readonly Line[]): Stretch[] {
  const [toMine, toTheirs] = [new Map(pairs(base, mine)), new Map(pairs(base, theirs))]
  const found: Stretch[] = []
  let [b, m, t] = [0, 0, 0]
  const until = (nextB: number, nextM: number, nextT: number) => {
    const [old, ours, others] = [base.slice(b, nextB), mine.slice(m, nextM), theirs.slice(t, nextT)]
    ;[b, m, t] = [nextB, nextM, nextT]
    // As many lines in all hands: each is a place of its own, so that neighbours do not decide for each other.
    if (old.length === ours.length && old.length === others.length) old.forEach((line, at) => found.push(stretch([line], [ours[at]!], [others[at]!])))
    else found.push(stretch(old, ours, others))
  }
  for (let at = 0; at < base.length; at += 1) {
    const [inMine, inTheirs] = [toMine.get(at), toTheirs.get(at)]
    if (inMine === undefined || inTheirs === undefined) continue
    if (at > b || inMine > m || inTheirs > t) until(at, inMine, inTheirs)
    if (found[found.length - 1]?.kind !== 'same') found.push({ kind: 'same', mine: [], theirs: [] })
    const top = found[found.length - 1]!
    top.mine.push(mine[inMine]!)
    top.theirs.push(theirs[inTheirs]!)
    ;[b, m, t] = [at + 1, inMine + 1, inTheirs + 1]
  }
  until(base.length, mine.length, theirs.length)
  return found
}

/** One text of both: what only one has changed is taken from that one, the rest as it was chosen (by its place among the stretches). */
export function merged(stretches: readonly Stretch[], chosen: (at: number) => 'mine' | 'theirs'): readonly Line[] {
  const list = stretches.flatMap((stretch, at) => {
    const side = stretch.kind === 'both' ? chosen(at) : stretch.kind === 'theirs' ? 'theirs' : 'mine'
    return stretch[side]
  })
  // Times of two hands can overlap: what comes later begins after what came before.
  let ended = 0
  return list.map((line) => {
    if (line.start >= ended) {
      ended = Math.max(ended, line.end)
      return line
    }
    const start = ended
    ended = Math.max(start, line.end)
    return { ...line, start, end: ended, heard: undefined, words: undefined }
  })
}
