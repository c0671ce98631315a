// What a pasted text holds. Only for the chips: the daemon decides what becomes of it.

/** A link in a text, and the line that it stands in. */
export type Found = { line: number; link: string; place: string }

// CJK marks end a link in share texts, where no blank follows it.
const LINK = /https?:\/\/[^\s<>"'`，。！？；：、（）《》「」『』【】“”]+/giu
const PLACES: [string, RegExp][] = [
  ['douyin', /(^|\.)(douyin|iesdouyin)\.com$/],
  ['tiktok', /(^|\.)tiktok\.com$/],
  ['bilibili', /(^|\.)(bilibili\.com|b23\.tv)$/],
  ['youtube', /(^|\.)(youtube\.com|youtu\.be|youtube-nocookie\.com)$/],
  ['xiaohongshu', /(^|\.)(xiaohongshu|xhslink)\.com$/],
  ['vimeo', /(^|\.)vimeo\.com$/],
  ['soundcloud', /(^|\.)soundcloud\.com$/],
  ['instagram', /(^|\.)instagram\.com$/],
  ['x', /(^|\.)(x|twitter)\.com$/],
]

/** Every link of a text, each once. */
export function links(text: string): Found[] {
  const found = new Map<string, Found>()
  text.split('\n').forEach((words, index) => {
    for (const [match] of words.matchAll(LINK)) {
      const link = match.replace(/[.,;:!?)\]}]+$/, '')
      const place = placeOf(link)
      if (place && !found.has(link)) found.set(link, { line: index + 1, link, place })
    }
  })
  return [...found.values()]
}

/** Where a link leads: a platform's name, else the host. */
export function placeOf(link: string): string | null {
  try {
    const host = new URL(link).hostname.toLowerCase()
    return PLACES.find(([, pattern]) => pattern.test(host))?.[0] ?? host.replace(/^www\./, '')
  } catch {
    return null
  }
}

/** How many links lead where, the most first. */
export function places(found: Found[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const { place } of found) counts.set(place, (counts.get(place) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])
}

/** A text without some of its lines (numbers from 1), and those lines. */
export function split(text: string, lines: number[]): { taken: string; left: string[] } {
  const all = text.split('\n')
  return {
    taken: all.filter((_, index) => !lines.includes(index + 1)).join('\n'),
    left: lines.map((line) => all[line - 1] ?? ''),
  }
}

/** A text without some of its links; lines that hold nothing else go with them. */
export function without(text: string, known: ReadonlySet<string>): string {
  const lines = text.split('\n').map((line) => {
    const found = links(line)
    if (!found.length || found.every(({ link }) => !known.has(link))) return line
    if (found.every(({ link }) => known.has(link))) return null
    return found.reduce((rest, { link }) => (known.has(link) ? rest.replaceAll(link, ' ') : rest), line)
  })
  return lines.filter((line) => line !== null).join('\n')
}
