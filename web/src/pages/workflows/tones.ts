import type { Task } from '../../lib/schema'
import type { Tone } from '../../ui/Status.svelte'

/** How the state of a task looks. */
export const tones: Record<Task['status'], Tone> = {
  queued: 'waiting', processing: 'running', completed: 'done', failed: 'failed', cancelled: 'cancelled',
}
