// The task that the page shows, as it is now.

import { api, ask, problem, type Trouble } from '../../lib/api'
import { readable } from '../../lib/readable'
import type { Step, Task } from '../../lib/schema'
import type { StreamEvent } from '../../lib/stream.svelte'

/** How long changes are collected before the task is read anew, in milliseconds. */
const together = 200

const isHeard = ({ kind, state, key }: Step) => kind === 'transcribe' && state === 'succeeded' && !key.includes(':')

/** A task that is kept up to date. `gone`: it has been deleted. */
export class TaskRecord {
  task: Task | null = $state.raw(null)
  trouble: Trouble | null = $state.raw(null)
  gone = $state(false)
  /** Grows with each delivery that fares in some way. */
  deliveries = $state(0)
  #timer: ReturnType<typeof setTimeout> | undefined
  #turn = 0

  constructor(readonly id: number) {}

  readonly steps = $derived(this.task?.steps ?? [])
  readonly isOver = $derived(!!this.task && !['queued', 'processing'].includes(this.task.status))
  readonly title = $derived(this.task?.media?.title || readable(this.task?.link ?? ''))
  readonly isDone = $derived(this.task?.status === 'completed')
  /** There is a transcript, whatever becomes of the steps after it. */
  readonly hasTranscript = $derived(this.isDone || !!this.task?.language || this.steps.some(isHeard))
  /** Somebody deletes it here, and is led elsewhere. */
  leaving = false

  /** Reads the task. */
  async load(): Promise<void> {
    const turn = ++this.#turn
    try {
      const task = await ask(api.GET('/api/tasks/{id}', { params: { path: { id: this.id } } }))
      if (turn !== this.#turn) return
      this.task = task
      this.trouble = null
    } catch (thrown) {
      if (turn !== this.#turn) return
      const trouble = problem(thrown)
      if (trouble.status === 404 && !this.leaving) this.gone = true
      // What was read before stays readable.
      this.trouble = trouble
    }
  }

  /** Reads it soon; calls that come together are one. */
  soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.load()
    }, together)
  }

  /** What an event of the stream changes. */
  heard({ kind, data }: StreamEvent): void {
    if (kind === 'gap') {
      this.deliveries += 1
      this.soon()
    }
    if (data.task_id !== this.id) return
    if (kind === 'deleted') this.#deleted()
    else if (kind === 'status' || kind === 'step') this.soon()
    else if (kind === 'delivery') this.deliveries += 1
    else if (kind === 'progress' && this.task) {
      const { step, step_progress, progress } = data as { step?: string; step_progress?: number; progress?: number }
      const steps = this.task.steps?.map((each) => (each.key === step ? { ...each, progress: step_progress ?? each.progress } : each))
      const now = this.task.current
      const current = now && now.key === step ? { ...now, progress: step_progress ?? now.progress } : now
      this.task = { ...this.task, progress: progress ?? this.task.progress, steps, current }
    }
  }

  #deleted(): void {
    this.stop()
    if (!this.leaving) this.gone = true
  }

  /** Puts an answer of the daemon in place of what was read. */
  put(task: Task): void {
    this.task = { ...this.task, ...task, steps: task.steps ?? this.task?.steps }
    this.soon()
  }

  /** Ends what waits. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#turn += 1
  }
}
