// Keys. A page binds its own while it is shown; `?` shows what is bound.

import { untrack } from 'svelte'
import type { Key } from './i18n.svelte'
import { keep, kept } from './keep'

/** A key and what it does. `Mod+k` is ⌘K on a Mac and Ctrl+K elsewhere; `Shift+j`, `ArrowDown`, ` ` (space), `?`. */
export type Binding = { key: string; label: Key; run: (event: KeyboardEvent) => void; /** Also while something is typed. */ typing?: boolean }

const state = $state({ letters: kept('letters') !== 'off' })
let bound: Binding[] = $state.raw([])

/** What is bound now, for the help. */
export const bindings = () => bound
/** Whether single letters do something: they can be switched off for people who speak to their machine. */
export const letters = () => state.letters
/** Switches single letters on or off. */
export function setLetters(on: boolean): void {
  state.letters = on
  keep('letters', on ? null : 'off')
}

/** Binds keys: returns what takes them away again, so it can be what an effect returns: `$effect(() => keys([…]))`. */
export function keys(list: Binding[]): () => void {
  // An effect that binds keys must not run again when others bind theirs.
  bound = [...list, ...untrack(() => bound)]
  return () => {
    bound = untrack(() => bound).filter((binding) => !list.includes(binding))
  }
}

/** Whether this machine calls its command key ⌘. */
export const isMac = /mac|iphone|ipad/i.test(navigator.platform)

/** A key as it is written for people. */
export function keyName(key: string): string {
  return key
    .replace(/^Mod\+[a-z]$/, (both) => both.slice(0, -1) + both.slice(-1).toUpperCase())
    .replace('Mod+', isMac ? '⌘' : 'Ctrl ')
    .replace('Shift+', isMac ? '⇧' : 'Shift ')
    .replace('Enter', '↵')
    .replace('ArrowDown', '↓')
    .replace('ArrowUp', '↑')
    .replace('Escape', 'Esc')
    .replace(/^ $/, '␣')
}

function isTyping(target: EventTarget | null): boolean {
  const node = target as HTMLElement | null
  if (!node?.closest) return false
  return !!node.closest('textarea, select, [contenteditable], input:not([type="checkbox"], [type="radio"], [type="button"], [type="range"])')
}

/** Whether an event is the key of a binding. */
export function matches(event: Pick<KeyboardEvent, 'key' | 'metaKey' | 'ctrlKey' | 'shiftKey' | 'altKey' | 'getModifierState'>, key: string): boolean {
  const wanted = key.length > 1 ? key.split('+') : [key]
  const name = wanted[wanted.length - 1]!
  const [mod, shift] = [wanted.includes('Mod'), wanted.includes('Shift')]
  // Some keyboards write marks such as `[` with AltGr, which says that it is Ctrl and Alt.
  const isWritten = name.length === 1 && !mod && event.getModifierState('AltGraph')
  if (!isWritten && (event.altKey || (event.metaKey || event.ctrlKey) !== mod)) return false
  // Marks such as `?` need Shift on some keyboards and not on others.
  if (/^[a-z]$/i.test(name)) return event.key.toLowerCase() === name.toLowerCase() && event.shiftKey === shift
  return event.key === name && (name.length === 1 || event.shiftKey === shift)
}

/** Whether a menu is open: it has an Escape of its own. */
function hasMenu(): boolean {
  try {
    return !!document.querySelector(':popover-open')
  } catch {
    return false
  }
}

/** What the window's `keydown` does; the shell calls it. */
export function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || document.querySelector('dialog:modal')) return
  const typing = isTyping(event.target)
  if (event.key === 'Escape' && hasMenu()) return
  for (const binding of bound) {
    if (!matches(event, binding.key) || (typing && !binding.typing)) continue
    if (!state.letters && binding.key.length === 1) continue
    // Space and Enter belong to the button that has the focus.
    if ((binding.key === ' ' || binding.key === 'Enter') && (event.target as HTMLElement).closest?.('button, a, summary, input, [role="button"]')) continue
    event.preventDefault()
    binding.run(event)
    return
  }
  // Out of a field, so that letters are keys again.
  if (event.key === 'Escape' && typing) (event.target as HTMLElement).blur()
}
