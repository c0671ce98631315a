import { onEvent } from './stream.svelte'

/**
 * Calls `read` soon after events of some kinds (and after a gap), once for all that come within `ms`. Returns what ends it, so it can be
 * what an effect returns.
 */
export function afterChanges(kinds: string[], ms: number, read: () => unknown): () => void {
  let soon: ReturnType<typeof setTimeout> | undefined
  const end = onEvent(({ kind }) => {
    if (kind !== 'gap' && !kinds.includes(kind)) return
    soon ??= setTimeout(() => {
      soon = undefined
      void read()
    }, ms)
  })
  return () => {
    clearTimeout(soon)
    end()
  }
}
