import type { Delivery } from '../../../lib/schema'
import type { Tone } from '../../../ui/Status.svelte'

/** How a callback stands, as people call it: one whose last attempt has failed does not just wait. */
export type Shown = Delivery['state'] | 'again'

/** What the state of a callback is called. */
export const shownState = ({ state, attempts }: Delivery): Shown =>
  (state === 'pending' || state === 'sending') && attempts[attempts.length - 1]?.error ? 'again' : state

/** Whether nobody has got it, after it was tried. */
export const isFailing = (delivery: Delivery): boolean => ['again', 'dead'].includes(shownState(delivery))

/** How it looks. */
export const tones: Record<Shown, Tone> = { pending: 'waiting', sending: 'running', delivered: 'done', dead: 'failed', held: 'paused', again: 'warning' }
