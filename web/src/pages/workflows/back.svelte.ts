import { untrack } from 'svelte'
import { connection } from '../../lib/stream.svelte'

/** Reads again what could not be read as soon as the daemon is there again. Called while a component is made. */
export function whenBack(isTroubled: () => unknown, read: () => unknown): void {
  $effect(() => {
    if (connection() === 'live' && untrack(isTroubled)) void untrack(read)
  })
}
