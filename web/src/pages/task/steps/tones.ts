import type { Step } from '../../../lib/schema'
import type { Tone } from '../../../ui/Status.svelte'

/** How the state of a step looks. */
export const tones: Record<Step['state'], Tone> = {
  blocked: 'waiting', ready: 'waiting', running: 'running', waiting: 'waiting', succeeded: 'done', failed: 'failed', skipped: 'skipped', cancelled: 'cancelled',
}
