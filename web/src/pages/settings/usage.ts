// Thirty days of usage as bars. Pure.

import type { Usage } from '../../lib/schema'

/** What is counted. */
export const measures = ['requests', 'tasks', 'audio_seconds', 'bytes_in', 'llm_tokens'] as const
/** One of them. */
export type Measure = (typeof measures)[number]

/** A day (UTC) as `2026-11-21`, and how much of each there was. */
export type Day = { day: string } & Record<Measure, number>

/** `count` days up to and with today (UTC), the oldest first, summed over the tokens; days on which nothing happened are zero. */
export function days(items: Usage[], count = 30, now = Date.now()): Day[] {
  const table = new Map<string, Day>()
  for (let back = count - 1; back >= 0; back -= 1) {
    const day = new Date(now - back * 86_400_000).toISOString().slice(0, 10)
    table.set(day, { day, requests: 0, tasks: 0, audio_seconds: 0, bytes_in: 0, llm_tokens: 0 })
  }
  for (const item of items) {
    const day = table.get(item.day.slice(0, 10))
    if (day) for (const measure of measures) day[measure] += item[measure]
  }
  return [...table.values()]
}

/** The smallest round number that is not below `most`: 1, 2 or 5 with zeros. */
export function ceiling(most: number): number {
  if (!(most > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(most))
  return [1, 2, 5, 10].map((step) => step * power).find((value) => value >= most * (1 - 1e-9)) ?? 10 * power
}

/** Bars for values in a picture of that size: something that is not zero can be seen. */
export function bars(values: number[], width: number, height: number): { x: number; y: number; width: number; height: number }[] {
  const top = ceiling(Math.max(...values))
  const step = width / values.length
  return values.map((value, index) => {
    const size = value > 0 ? Math.max(1.5, (value / top) * height) : 0
    return { x: index * step + step * 0.15, y: height - size, width: step * 0.7, height: size }
  })
}
