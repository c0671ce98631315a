// Segments as they are recognised. Windows are recognised side by side, so they come out of order, and after a lost connection twice.

import { line, type Line, type Segment } from './lines'

/** The lines with a segment more, in the order of their times. A segment that is there already changes nothing. */
export function joined(lines: readonly Line[], segment: Segment): readonly Line[] {
  if (typeof segment?.text !== 'string' || !Number.isFinite(segment.start) || !Number.isFinite(segment.end) || !segment.text.trim()) return lines
  let at = lines.length
  while (at > 0 && lines[at - 1]!.start > segment.start) at -= 1
  const before = lines[at - 1]
  if (before && before.start === segment.start && before.text === segment.text) return lines
  return lines.toSpliced(at, 0, line(segment))
}
