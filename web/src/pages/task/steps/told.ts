// What is said about the error of a step, so that nothing is told twice and waiting does not look like failing.

import type { Step, Task } from '../../../lib/schema'

/** `full`: with what to do about it; `short`: its name, because the page's head tells the rest; `waits`: it will be tried again; `last`: a try before this one. */
export type Told = 'full' | 'short' | 'waits' | 'last'

/** How the error of a step is told; null where nothing is. `hasHead`: what the whole task failed of, or waits for, is told above. */
export function told(step: Step, task: Task, hasHead: boolean): Told | null {
  const { error, state } = step
  // Who cancels knows why it was stopped.
  if (!error || state === 'cancelled') return null
  const isAbove = hasHead && [task.error, task.waiting, task.current?.waits_for === 'retry' ? task.current.error : null].some((each) => each?.detail === error.detail)
  if (state === 'failed') return isAbove ? 'short' : 'full'
  if (state === 'running') return 'last'
  if (state === 'succeeded' || state === 'skipped') return null
  return isAbove ? 'short' : 'waits'
}
