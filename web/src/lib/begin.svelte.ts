/**
 * Puts the focus at the beginning of the page when another part of it is shown: the link that led there may be gone, and who moves by
 * keyboard goes on where the new part begins. Called while a component is made; `part` says which one is shown.
 */
export function beginAnew(part: () => unknown): void {
  let before: unknown
  $effect(() => {
    const now = part()
    if (before !== undefined && before !== now) document.getElementById('main')?.focus({ preventScroll: true })
    before = now
  })
}
