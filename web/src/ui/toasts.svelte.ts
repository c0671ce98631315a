import { say } from '../lib/say.svelte'

/** A short note at the bottom, perhaps with a way back. Never the only place where a failure is told. */
export type Toast = { id: number; text: string; undo?: () => void; /** When it goes, in milliseconds of Date.now(). */ until: number }

let list: Toast[] = $state.raw([])
let next = 1
const ends = new Map<number, { timer: ReturnType<typeof setTimeout>; gone?: () => void }>()

/** What is shown. */
export const toasts = () => list

/**
 * Shows a note. With `undo` there is a button for `ms` milliseconds (10 seconds); `gone` is called when nobody pressed it: what cannot
 * be taken back is done there.
 */
export function toast(text: string, more: { undo?: () => void; gone?: () => void; ms?: number } = {}): number {
  const id = next++
  const ms = more.ms ?? (more.undo ? 10_000 : 5_000)
  list = [...list, { id, text, undo: more.undo, until: Date.now() + ms }]
  ends.set(id, { timer: setTimeout(() => dismiss(id), ms), gone: more.gone })
  say(text)
  return id
}

/** Takes a note away as if its time were over. */
export function dismiss(id: number): void {
  const end = take(id)
  end?.gone?.()
}

/** Presses a note's undo. */
export function undo(id: number): void {
  const back = list.find((toast) => toast.id === id)?.undo
  take(id)
  back?.()
}

/** Does at once what waits for an undo: the page is left. */
export function settle(): void {
  for (const id of [...ends.keys()]) dismiss(id)
}

function take(id: number) {
  const end = ends.get(id)
  if (end) clearTimeout(end.timer)
  ends.delete(id)
  list = list.filter((toast) => toast.id !== id)
  return end
}
