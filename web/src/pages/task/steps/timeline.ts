// Steps on one axis of time.

import type { Step, Task } from '../../../lib/schema'

/** Where a step lies on the axis, as parts of its length; null before it has started. */
export type Bar = { from: number; width: number } | null

/** A row: a step, when it ran, how long in milliseconds, and how many items of a list it stands for. */
export type Row = { step: Step; bar: Bar; took: number | null; items: number }

const ms = (time: string | null | undefined) => (time ? new Date(time).getTime() : null)

/** The rows of a task: items of lists are counted at their list, not shown. */
export function rows(task: Task, now: number): Row[] {
  const steps = task.steps ?? []
  const shown = steps.filter((step) => step.index === undefined || step.index === null)
  const times = steps.flatMap((step) => [ms(step.started_at), ms(step.finished_at)]).filter((time) => time !== null)
  const begins = Math.min(ms(task.started_at) ?? Infinity, ...times)
  const isOver = !['queued', 'processing'].includes(task.status)
  const ends = Math.max(...times, isOver ? (ms(task.finished_at) ?? 0) : now)
  const length = Math.max(1, ends - begins)
  return shown.map((step) => {
    const started = ms(step.started_at)
    const ended = ms(step.finished_at) ?? (step.state === 'running' ? now : null)
    const took = started !== null && ended !== null ? Math.max(0, ended - started) : null
    // A short step is still there to be seen.
    const width = took === null ? 0 : Math.max(0.012, Math.min(1, took / length))
    const bar = started === null || took === null ? null : { from: Math.min(Math.max(0, (started - begins) / length), 1 - width), width }
    return { step, bar, took, items: steps.filter((each) => each.key.startsWith(`${step.key}[`)).length }
  })
}
