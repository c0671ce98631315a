// Small things kept in this browser. Where it keeps nothing (private windows, full storage), they last as long as the page.

const memory = new Map<string, string>()

/** What is kept under a name. */
export function kept(name: string): string | null {
  try {
    return localStorage.getItem(`trawl.${name}`) ?? memory.get(name) ?? null
  } catch {
    return memory.get(name) ?? null
  }
}

/** Keeps a text under a name; null forgets it. */
export function keep(name: string, text: string | null): void {
  if (text === null) memory.delete(name)
  else memory.set(name, text)
  try {
    if (text === null) localStorage.removeItem(`trawl.${name}`)
    else localStorage.setItem(`trawl.${name}`, text)
  } catch {
    // Memory has it.
  }
}
