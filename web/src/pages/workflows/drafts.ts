// What was typed and not saved: one text a workflow and tab, with the revision that it was made of. A tab goes on with its own after
// a reload; a new one goes on with the last that was typed in this browser.

import { keep, kept } from '../../lib/keep'

/** A text that was left behind. */
export interface Left {
  text: string
  /** The revision that it was made of, 0 where there was none; null: the newest. */
  base: number | null
}

const nameOf = (workflow: string) => `workflow.${workflow}`

/** What was left behind of a workflow. */
export function left(workflow: string): Left | null {
  return read(own(nameOf(workflow))) ?? read(kept(nameOf(workflow)))
}

/** Keeps a text; null forgets it. */
export function leave(workflow: string, text: Left | null): void {
  const words = text && JSON.stringify(text)
  keep(nameOf(workflow), words)
  try {
    if (words === null) sessionStorage.removeItem(`trawl.${nameOf(workflow)}`)
    else sessionStorage.setItem(`trawl.${nameOf(workflow)}`, words)
  } catch {
    // What is kept for all tabs will do.
  }
}

/** Calls `heard` when another tab keeps a text of a workflow, or forgets it (null). Returns what ends it. */
export function elsewhere(workflow: string, heard: (text: Left | null) => void): () => void {
  const changed = ({ key, newValue }: StorageEvent) => {
    if (key === `trawl.${nameOf(workflow)}`) heard(read(newValue))
  }
  addEventListener('storage', changed)
  return () => removeEventListener('storage', changed)
}

function own(name: string): string | null {
  try {
    return sessionStorage.getItem(`trawl.${name}`)
  } catch {
    return null
  }
}

function read(words: string | null): Left | null {
  try {
    const { text, base } = JSON.parse(words ?? '') as Left
    return typeof text === 'string' ? { text, base: typeof base === 'number' ? base : null } : null
  } catch {
    return null
  }
}
