import { newKey, type Line } from './lines'

/** A line for tests. */
export const spoken = (start: number, end: number, text: string): Line => ({ key: newKey(), start, end, text })

/** The same lines as other objects, as another read would give them. */
export const copied = (lines: readonly Line[]): Line[] => lines.map((line) => ({ ...line, key: newKey() }))

/** A random number generator that gives the same numbers each time. */
export function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (state * 1103515245 + 12345) % 2147483648
    return Math.floor((state / 2147483648) * sides)
  }
}
