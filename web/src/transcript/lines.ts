// A transcript as the page holds it: lines that never change; an edit makes new ones. Times are seconds.

/** A word of a line: the characters `from` up to `to` of its text, and when they are said. */
export type Word = { from: number; to: number; start: number; end: number }

/** A word as the API has it, without its place in the text. */
export type Heard = { word: string; start: number; end: number }

/** One segment. `key` stays the same while it is edited. */
export type Line = {
  key: number
  start: number
  end: number
  text: string
  /** The words as they were heard, where the task has word times. */
  heard?: readonly Heard[]
  /** The words by their places, where an edit has worked them out. */
  words?: readonly Word[]
  /** The model itself doubts that this was said. */
  doubtful?: boolean
}

/** What the API has: the fields that the page looks at. */
export type Segment = {
  start: number
  end: number
  text: string
  words?: readonly Heard[]
  no_speech_prob?: number
  avg_logprob?: number
  compression_ratio?: number
}

/** A whole transcript of the API. */
export type Transcript = {
  language?: string
  language_probability?: number
  duration?: number
  model?: string
  engine?: string
  segments: readonly Segment[]
  warnings?: readonly string[]
}

let last = 0

/** A key that no other line of this page has. */
export const newKey = (): number => ++last

/**
 * Whether a segment is probably no speech at all. The API marks nothing, so it goes by the figures of the recognition: silence that
 * was read with little confidence, or text that repeats itself.
 */
export function isDoubtful(segment: Segment): boolean {
  const silent = (segment.no_speech_prob ?? 0) > 0.6 && (segment.avg_logprob ?? 0) < -1
  return silent || (segment.compression_ratio ?? 0) > 2.4
}

/** A segment as a line. */
export function line(segment: Segment): Line {
  const { start, end, text, words } = segment
  return { key: newKey(), start, end, text, heard: words?.length ? words : undefined, doubtful: isDoubtful(segment) }
}

/** The lines of a transcript. */
export const lines = (transcript: Transcript): Line[] => transcript.segments.map(line)

const round = (seconds: number) => Math.round(seconds * 1000) / 1000

/** Lines as a correction sends them: those without text are left out, times are whole milliseconds in order. */
export function correction(list: readonly Line[]): { start: number; end: number; text: string }[] {
  let ended = 0
  return list
    .filter((each) => each.text.trim())
    .map((each) => {
      const start = Math.max(round(each.start), ended)
      ended = Math.max(round(each.end), start)
      return { start, end: ended, text: each.text.trim() }
    })
}

/** Whether two states say the same at the same times. */
export function same(one: readonly Line[], other: readonly Line[]): boolean {
  return one === other || (one.length === other.length && one.every((each, at) => sameLine(each, other[at]!)))
}

/** Whether two lines say the same at the same time. */
export function sameLine(one: Line, other: Line): boolean {
  return one.text === other.text && Math.abs(one.start - other.start) < 0.0015 && Math.abs(one.end - other.end) < 0.0015
}
