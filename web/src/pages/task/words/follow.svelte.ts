// The page goes along with what is spoken until somebody scrolls.

const keys = new Set(['PageUp', 'PageDown', 'Home', 'End'])
/** How long our own scrolling takes, in milliseconds. */
const ours = 800

/** Down to where something lies over the column of a row: the search, and on a phone what plays. */
function covered(row: DOMRect): number {
  const over = [...document.querySelectorAll('[data-over]')].map((each) => each.getBoundingClientRect())
  return Math.max(0, ...over.filter((each) => each.left < row.right && each.right > row.left).map((each) => each.bottom))
}

/** Whether the page follows, and what ends that. */
export class Follow {
  on = $state(true)
  #scrolled = 0
  #row: HTMLElement | null = null

  /** Brings a row into the middle, unless it is near it. */
  to(row: HTMLElement | null, always = false): void {
    this.#row = row
    if (!row || !(this.on || always)) return
    const at = row.getBoundingClientRect()
    if (!always && at.top > Math.max(innerHeight * 0.25, covered(at)) && at.bottom < innerHeight * 0.7) return
    this.#scrolled = performance.now()
    const far = at.top < -innerHeight || at.bottom > 2 * innerHeight
    const still = far || matchMedia('(prefers-reduced-motion: reduce)').matches
    row.scrollIntoView({ block: 'center', behavior: still ? 'instant' : 'smooth' })
  }

  /** Follows again. */
  resume(): void {
    this.on = true
    this.to(this.#row, true)
  }

  /** Watches for somebody's own scrolling; returns what ends it. */
  watch = (): (() => void) => {
    const stop = () => (this.on = false)
    const pressed = (event: KeyboardEvent) => keys.has(event.key) && !(event.target as Element).closest?.('textarea, input, dialog') && stop()
    // A scrollbar that is dragged and a browser's own search show up here only: what is spoken has left the screen.
    const scrolled = () => {
      if (!this.on || !this.#row?.isConnected || performance.now() - this.#scrolled < ours) return
      const at = this.#row.getBoundingClientRect()
      if (at.bottom < covered(at) || at.top > innerHeight) stop()
    }
    addEventListener('wheel', stop, { passive: true })
    addEventListener('touchmove', stop, { passive: true })
    addEventListener('keydown', pressed)
    addEventListener('scroll', scrolled, { passive: true })
    return () => {
      removeEventListener('wheel', stop)
      removeEventListener('touchmove', stop)
      removeEventListener('keydown', pressed)
      removeEventListener('scroll', scrolled)
    }
  }
}
