// How far each entry of the history was scrolled: Back goes back to the place, too. The browser by itself would scroll before what was
// scrolled is drawn.

const NAME = 'trawl.places'
const MOST = 100
/** How long a page may take to become as long as it was. */
const PATIENCE = 10_000

const places = new Map<number, number>(stored())
let here = nameOf(history.state)
let end: (() => void) | null = null

if (!here) history.replaceState({ at: (here = Date.now()) }, '')
history.scrollRestoration = 'manual'
addEventListener('scroll', () => end || places.set(here, scrollY), { passive: true })
addEventListener('pagehide', () => {
  try {
    sessionStorage.setItem(NAME, JSON.stringify([...places].slice(-MOST)))
  } catch {
    // Then a reload begins at the top.
  }
})

/** Makes an address the next entry of the history, or that of the present one. */
export function enter(url: URL, replace: boolean): void {
  if (replace) return history.replaceState({ at: here }, '', url)
  places.set(here, scrollY)
  here = Math.max(here + 1, Date.now())
  history.pushState({ at: here }, '', url)
}

/** Hears that another entry is the present one; returns what scrolls to its place once its page is drawn. */
export function back(): () => void {
  here = nameOf(history.state) || here
  end?.()
  const place = nameOf(history.state) ? places.get(here) : undefined
  return () => place === undefined || restore(place)
}

/** Scrolls as far as the present entry was before a reload. */
export const again = (): void => restore(places.get(here) ?? 0)

/** Scrolls to a place as soon as the page is long enough, unless somebody moves it meanwhile. */
function restore(place: number): void {
  end?.()
  const kinds = ['wheel', 'touchmove', 'keydown', 'pointerdown']
  const grown = new ResizeObserver(() => step())
  const stop = () => {
    end = null
    grown.disconnect()
    clearTimeout(timer)
    for (const kind of kinds) removeEventListener(kind, stop)
  }
  const timer = setTimeout(stop, PATIENCE)
  const step = () => {
    scrollTo({ top: place, behavior: 'instant' })
    if (Math.abs(scrollY - place) < 1) stop()
  }
  end = stop
  for (const kind of kinds) addEventListener(kind, stop, { passive: true })
  grown.observe(document.body)
  step()
}

function nameOf(state: unknown): number {
  const at = (state as { at?: unknown } | null)?.at
  return typeof at === 'number' ? at : 0
}

function stored(): [number, number][] {
  try {
    return JSON.parse(sessionStorage.getItem(NAME) ?? '[]') as [number, number][]
  } catch {
    return []
  }
}
