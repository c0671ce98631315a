import type { Step } from '../../../lib/schema'
import type { Tone } from '../../../ui/Status.svelte'

/** The state of a step as people call it. */
export type Shown = Step['state'] | 'not-run'

/** What a state is called: what never began when its task ended was not run. */
export const shownState = (state: Step['state'], hasBegun: boolean): Shown => (state === 'cancelled' && !hasBegun ? 'not-run' : state)

/** How the state of a step looks. */
export const tones: Record<Shown, Tone> = {
  blocked: 'waiting', ready: 'waiting', running: 'running', waiting: 'waiting', succeeded: 'done', failed: 'failed', skipped: 'skipped', cancelled: 'cancelled', 'not-run': 'skipped',
}
