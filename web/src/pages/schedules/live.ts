import { afterChanges } from '../../lib/changes'

// Timers of browsers hold no more than this.
const LONGEST = 2 ** 31 - 1
// A time is met within two seconds.
const AFTER = 2500

/**
 * Reads again after tasks have changed, and once more a little later: a task's end is told at once, what it means for its schedule
 * the daemon writes down in a turn of its own. Returns what ends it.
 */
export function afterEvents(read: () => unknown): () => void {
  let late: ReturnType<typeof setTimeout> | undefined
  const end = afterChanges(['status'], 700, () => {
    clearTimeout(late)
    late = setTimeout(() => void read(), 5000)
    return read()
  })
  return () => {
    clearTimeout(late)
    end()
  }
}

/** Reads again shortly after the first of some times that is to come: not every fire makes a task. Returns what ends it. */
export function afterTimes(read: () => unknown, times: string[]): () => void {
  const next = Math.min(...times.map((time) => Date.parse(time)).filter((time) => time > Date.now()))
  const wait = next - Date.now() + AFTER
  const timer = wait < LONGEST ? setTimeout(() => void read(), wait) : undefined
  return () => clearTimeout(timer)
}

/** Reads again soon while a fire is at work: not everything that ends it is told as an event. Returns what ends it. */
export function whileAtWork(read: () => unknown, isAtWork: boolean): () => void {
  const timer = isAtWork ? setTimeout(() => void read(), 2000) : undefined
  return () => clearTimeout(timer)
}
